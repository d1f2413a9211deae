import HTTP
import LUXOpenAPI

/// `/openapi.json` and `/docs`: responses that are created once and are the same for all clients. An immutable value.
package struct APIDocumentation: Sendable {
    private var responses: [DocumentationFile: HTTPResponse] = [:]

    /// Creates the responses.
    ///
    /// - Parameters:
    ///   - assets: `nil` leaves them to the CDN.
    ///   - metrics: whether `GET /metrics` is served on the same port.
    package init(assets: SwaggerAssets?, metrics: Bool, limits: HTTPLimits) {
        let isLocal = assets != nil
        add(.start, Array(SwaggerUI.start.utf8))
        add(.page, Array(SwaggerUI.page(local: isLocal).utf8))
        responses[.page]?.headers.add("Content-Security-Policy", SwaggerUI.policy(local: isLocal))
        responses[.page]?.headers.add("Referrer-Policy", "no-referrer")
        if let assets {
            add(.style, assets.style)
            add(.script, assets.script)
        }
        let routes = Routes.served(with: files.union([.openAPI]), metrics: metrics)
        add(.openAPI, OpenAPIDocument.bytes(of: routes.map { $0.documented(limits) }))
    }

    var files: Set<DocumentationFile> { Set(responses.keys) }

    func response(_ file: DocumentationFile) -> HTTPResponse? { responses[file] }

    private mutating func add(_ file: DocumentationFile, _ body: [UInt8]) {
        var response = HTTPResponse(status: .ok, body: body)
        response.isShared = true
        let charset = file == .openAPI ? "" : "; charset=utf-8"
        response.headers.add("Content-Type", file.mediaType + charset)
        responses[file] = response
    }
}
