import Foundation
import HTTP
import LUXAPI

/// The settings for developers of apps.
extension EnvironmentReader {
    /// `LUX_DOCS`, and the folder `LUX_DOCS_ASSETS`, whose files are read once, at the start.
    ///
    /// - Parameter metrics: whether `/metrics` is on the same port.
    package mutating func documentation(metrics: Bool, limits: HTTPLimits) -> APIDocumentation? {
        let isOn = read(\.pages.docs)
        guard let folder = read(\.pages.assets) else {
            return isOn ? APIDocumentation(assets: nil, metrics: metrics, limits: limits) : nil
        }
        let names = APIDocumentation.Assets.names
        guard isOn else {
            fault(\.pages.assets, "has no effect with LUX_DOCS=off")
            return nil
        }
        guard let style = bytes(of: names.style, in: folder), let script = bytes(of: names.script, in: folder) else {
            fault(\.pages.assets, "must be a folder with \(names.style) and \(names.script) of swagger-ui-dist 5")
            return nil
        }
        return APIDocumentation(
            assets: APIDocumentation.Assets(style: style, script: script), metrics: metrics, limits: limits)
    }

    private func bytes(of name: String, in folder: String) -> [UInt8]? {
        FileManager.default.contents(atPath: folder + "/" + name).map { Array($0) }
    }
}
