/// A request method (RFC 9110 section 9): any token, case-sensitive.
package struct HTTPMethod: RawRepresentable, Hashable, Sendable {
    /// The token.
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// `GET`
    package static let get = HTTPMethod(rawValue: "GET")
    /// `HEAD`
    package static let head = HTTPMethod(rawValue: "HEAD")
    /// `POST`
    package static let post = HTTPMethod(rawValue: "POST")
    /// `PATCH`
    package static let patch = HTTPMethod(rawValue: "PATCH")
    /// `OPTIONS`
    package static let options = HTTPMethod(rawValue: "OPTIONS")
}

/// The versions that are spoken here.
package enum HTTPVersion: Sendable {
    /// HTTP/1.0
    case http10
    /// HTTP/1.1, and what a later minor version of 1 is treated as (RFC 9110 section 2.5).
    case http11
}
