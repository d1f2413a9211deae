/// A whole request, as strict parsing has found it.
public struct HTTPRequest: Sendable {
    /// Its method.
    public var method: HTTPMethod
    /// The target as it was sent.
    public var target: String
    /// The path with its percent-escapes decoded; `*` for that form of a target.
    public var path: String
    /// The query with everything decoded.
    public var query: HTTPQuery
    /// The version that the client speaks.
    public var version: HTTPVersion
    /// The header section; trailers are dropped.
    public var headers: HTTPHeaders
    /// The content, its transfer coding removed.
    public var body: [UInt8]
    /// Whether the client wants to use the connection again (RFC 9112 section 9.3).
    public var keepAlive: Bool
}
