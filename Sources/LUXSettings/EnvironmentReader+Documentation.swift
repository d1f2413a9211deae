import Foundation
import HTTP
import LUXAPI

/// The variables for those who write apps.
extension EnvironmentReader {
    /// `LUX_DOCS`, and the folder `LUX_DOCS_ASSETS`, whose files are read once, at the start.
    ///
    /// - Parameter metrics: whether `/metrics` is on the same port.
    package mutating func documentation(metrics: Bool, limits: HTTPLimits) -> APIDocumentation? {
        let isOn = oneOf(["on", "off"], "LUX_DOCS") != "off"
        guard let folder = text("LUX_DOCS_ASSETS") else {
            return isOn ? APIDocumentation(assets: nil, metrics: metrics, limits: limits) : nil
        }
        let names = APIDocumentation.Assets.names
        guard isOn else {
            fault("LUX_DOCS_ASSETS", "has no effect with LUX_DOCS=off")
            return nil
        }
        guard let style = bytes(of: names.style, in: folder), let script = bytes(of: names.script, in: folder) else {
            fault("LUX_DOCS_ASSETS", "must be a folder with \(names.style) and \(names.script) of swagger-ui-dist 5")
            return nil
        }
        return APIDocumentation(
            assets: APIDocumentation.Assets(style: style, script: script), metrics: metrics, limits: limits)
    }

    private func bytes(of name: String, in folder: String) -> [UInt8]? {
        FileManager.default.contents(atPath: folder + "/" + name).map { Array($0) }
    }

    /// `LUX_CORS_ORIGINS`: `*`, or origins with commas between them.
    package mutating func cors() -> CORSPolicy? {
        guard let text = text("LUX_CORS_ORIGINS") else { return nil }
        let sent = text.split(separator: ",", omittingEmptySubsequences: false).map {
            $0.drop { $0 == " " }.lowercased()
        }
        .map { String($0.reversed().drop { $0 == " " }.reversed()) }
        if sent == ["*"] { return CORSPolicy(origins: nil) }
        let origins = sent.compactMap(Self.origin)
        guard !sent.isEmpty, origins.count == sent.count else {
            fault("LUX_CORS_ORIGINS", "must be * or origins such as https://app.example.com with commas between them")
            return nil
        }
        return CORSPolicy(origins: Set(origins))
    }

    /// An origin as browsers write it: scheme, host, and a port other than the scheme's own (RFC 6454 section 6.2).
    private static func origin(_ text: String) -> String? {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme, let host = parts.host, !host.isEmpty,
            !host.contains("*"), parts.path.isEmpty, parts.query == nil, parts.fragment == nil, parts.user == nil,
            parts.password == nil
        else { return nil }
        let usual = ["http": 80, "https": 443][scheme]
        let port = parts.port.flatMap { $0 == usual ? nil : ":\($0)" } ?? ""
        return "\(scheme)://\(host)\(port)"
    }
}
