/// A complete request after strict parsing. An immutable value; the parts that the header section determines are shared by all copies.
package struct HTTPRequest: Sendable {
    private let head: RequestHead
    /// The content, its transfer coding removed.
    package let body: [UInt8]
    /// The client that sent it, from the connection or a trusted proxy.
    package internal(set) var client: ClientAddress?

    init(_ head: RequestHead, body: [UInt8], client: ClientAddress?) {
        self.head = head
        self.body = body
        self.client = client
    }

    package var method: HTTPMethod { head.method }
    /// The target as it was sent.
    package var target: String { head.target }
    /// The path with its percent-escapes decoded; `*` for that form of a target.
    package var path: String { head.path }
    /// The query with everything decoded.
    package var query: HTTPQuery { head.query }
    /// The version that the client speaks.
    package var version: HTTPVersion { head.version }
    /// The header section; trailers are dropped.
    package var headers: HTTPHeaders { head.headers }
    /// Whether the client wants to use the connection again (RFC 9112 section 9.3).
    package var keepAlive: Bool { head.keepAlive }
    /// Whether the client names `keep-alive` in `Connection`: pools that do read `Keep-Alive` in the response.
    package var requestsKeepAlive: Bool { head.requestsKeepAlive }

    /// The authority that the request is for, and path and query as they were sent (RFC 9112 section 3.3): those of a target
    /// in absolute-form, else `Host` and the target. `nil` when there are none.
    package var effectiveURI: (authority: String, pathAndQuery: String)? {
        if target.utf8.first == UInt8(ascii: "/") { return headers.values(for: .host).first.map { ($0, target) } }
        // The parser took `http://` and `https://` with a good authority only.
        guard let colon = target.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let rest = target.utf8[colon...].dropFirst(3)
        let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        let suffix = String(target[authority.endIndex...])
        return (
            String(target[authority.startIndex..<authority.endIndex]), suffix.hasPrefix("/") ? suffix : "/" + suffix
        )
    }
}
