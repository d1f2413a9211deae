import Concurrency
import FoundationEssentials
import JWT
import LUXNotify

/// Where a JWKS is fetched from. A value without state.
package struct KeySetSource: Equatable, Sendable {
    /// For a whole fetch.
    private static let timeout = Duration.seconds(5)

    /// Scheme, host and port.
    private let baseURL: String
    /// Path and query.
    private let target: String
    private var roots: TrustedRoots

    package var url: String { baseURL + target }

    /// - Parameter url: `https`, or `http` to this machine: who can change the keys on their way can sign tokens.
    /// - Returns: `nil` for any other URL, and for one with a password, which a log could show.
    init?(_ url: String, roots: TrustedRoots) {
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty, parts.user == nil,
            parts.password == nil, parts.fragment == nil, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            parts.scheme == "https"
                || parts.scheme == "http" && ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host)
        else { return nil }
        let path = url.dropFirst((parts.scheme ?? "").count + 3).firstIndex { $0 == "/" || $0 == "?" } ?? url.endIndex
        baseURL = String(url[..<path])
        target = path == url.endIndex ? "/" : String(url[path...])
        self.roots = roots
    }

    /// Fetches the set. Blocks.
    ///
    /// - Throws: ``TokenKeyError``.
    package func fetch() throws(TokenKeyError) -> [UInt8] {
        let client = HTTPSClient(baseURL: baseURL, roots: roots)
        switch client.send(ProviderRequest("GET", target), deadline: MonotonicTime.now() + Self.timeout) {
        case .reply(let reply):
            guard reply.status == 200 else { throw TokenKeyError("the JWKS URL responded with \(reply.status)") }
            guard reply.isWhole else { throw TokenKeyError("the JWKS is incomplete or too large") }
            return reply.body
        case .notSent(let reason), .noResponse(let reason):
            throw TokenKeyError("the JWKS cannot be fetched: \(reason)")
        }
    }

    /// The keys of a body.
    ///
    /// - Throws: ``TokenKeyError``.
    package static func keys(
        _ body: [UInt8], warn: (KeySetWarning) -> Void = { _ in }
    ) throws(TokenKeyError) -> VerificationKeys {
        do throws(KeyError) {
            return try VerificationKeys(keySet: body, warn: warn)
        } catch {
            throw TokenKeyError("the JWKS \(error)")
        }
    }
}
