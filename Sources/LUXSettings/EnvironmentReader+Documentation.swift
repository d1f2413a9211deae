import FoundationEssentials
import LUXOpenAPI

/// How `/openapi.json` and `/docs` are served. A value.
package struct DocumentationSettings: Sendable {
    /// `nil` leaves the files of Swagger UI to a CDN.
    package var assets: SwaggerAssets?
}

/// The settings for developers of apps.
extension EnvironmentReader {
    /// `LUX_DOCS`, and the folder `LUX_DOCS_ASSETS`, whose files are read once, at the start; `nil` where the pages are switched off.
    package mutating func documentation() -> DocumentationSettings? {
        let isOn = read(\.pages.docs)
        guard let folder = read(\.pages.assets) else { return isOn ? DocumentationSettings() : nil }
        let names = SwaggerAssets.names
        guard isOn else {
            reject(\.pages.assets, "has no effect with LUX_DOCS=off")
            return nil
        }
        guard let style = bytes(of: names.style, in: folder), let script = bytes(of: names.script, in: folder) else {
            reject(\.pages.assets, "must be a folder with \(names.style) and \(names.script) of swagger-ui-dist 5")
            return nil
        }
        return DocumentationSettings(assets: SwaggerAssets(style: style, script: script))
    }

    private func bytes(of name: String, in folder: String) -> [UInt8]? {
        FileManager.default.contents(atPath: folder + "/" + name).map { Array($0) }
    }
}
