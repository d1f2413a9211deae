/// A request method (RFC 9110 section 9): any token, case-sensitive.
public struct HTTPMethod: RawRepresentable, Hashable, Sendable {
    /// The token.
    public let rawValue: String

    /// Wraps a token.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// `GET`
    public static let get = HTTPMethod(rawValue: "GET")
    /// `HEAD`
    public static let head = HTTPMethod(rawValue: "HEAD")
    /// `POST`
    public static let post = HTTPMethod(rawValue: "POST")
    /// `PATCH`
    public static let patch = HTTPMethod(rawValue: "PATCH")
    /// `OPTIONS`
    public static let options = HTTPMethod(rawValue: "OPTIONS")
}

/// The versions that are spoken here.
public enum HTTPVersion: Sendable {
    /// HTTP/1.0
    case http10
    /// HTTP/1.1, and what a later minor version of 1 is treated as (RFC 9110 section 2.5).
    case http11
}
