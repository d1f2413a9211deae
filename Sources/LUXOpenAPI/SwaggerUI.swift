/// Swagger UI as one page, which loads the files of `swagger-ui-dist` from a CDN or from a folder.
package enum SwaggerUI {
    /// A file of `swagger-ui-dist` of exactly this version.
    package struct Asset: Sendable {
        package var name: String
        var integrity: String

        var url: String { "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.33.1/\(name)" }
    }

    package static let style = Asset(
        name: "swagger-ui.css",
        integrity: "sha384-Ov4/wv3j2bmct8cDc5X4ngJZohVPzEmc6uDPH8WeljUxO5vtoykvMEfbu9Vh6RaW")
    package static let script = Asset(
        name: "swagger-ui-bundle.js",
        integrity: "sha384-ZPehFMQommnnuaZ4rpxgkgTT2DKFVp4hZC/7pLit+9Lek9T1YGSo23eHFbvNkXkw")

    /// - Parameter local: whether the assets are the server's own.
    package static func page(local: Bool) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>LUX device API</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" \(source("href", style, local: local))>
        </head>
        <body>
        <div id="swagger-ui"></div>
        <script \(source("src", script, local: local))></script>
        <script src="docs/init.js"></script>
        </body>
        </html>

        """
    }

    private static func source(_ attribute: String, _ asset: Asset, local: Bool) -> String {
        local
            ? #"\#(attribute)="docs/\#(asset.name)""#
            : #"\#(attribute)="\#(asset.url)" integrity="\#(asset.integrity)" crossorigin="anonymous""#
    }

    /// A file of its own, as the policy allows no inline script. A token stays in the tab: it is not kept.
    package static let start = """
        SwaggerUIBundle({
          url: "openapi.json",
          dom_id: "#swagger-ui",
          deepLinking: true,
          persistAuthorization: false,
          tryItOutEnabled: true,
          validatorUrl: null,
        });

        """

    /// The value of `Content-Security-Policy`: nothing but the files of the page, and calls to this server.
    package static func policy(local: Bool) -> String {
        let (script, style) = local ? ("", "") : (" " + script.url, " " + style.url)
        return [
            "default-src 'none'", "script-src 'self'" + script, "style-src 'self'" + style, "img-src 'self' data:",
            "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        ].joined(separator: "; ")
    }
}

/// Files of `swagger-ui-dist` that the server serves itself, so that browsers do not fetch them from a CDN. A value.
package struct SwaggerAssets: Sendable {
    /// The names of the files that a folder must contain.
    package static let names = (style: SwaggerUI.style.name, script: SwaggerUI.script.name)

    /// `swagger-ui.css`
    package var style: [UInt8]
    /// `swagger-ui-bundle.js`
    package var script: [UInt8]

    package init(style: [UInt8], script: [UInt8]) {
        self.style = style
        self.script = script
    }
}
