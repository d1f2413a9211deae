/// A request method (RFC 9110 section 9): any token, case-sensitive.
package struct HTTPMethod: RawRepresentable, Hashable, Sendable {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package static let get = HTTPMethod(rawValue: "GET")
    package static let head = HTTPMethod(rawValue: "HEAD")
    package static let post = HTTPMethod(rawValue: "POST")
    package static let patch = HTTPMethod(rawValue: "PATCH")
    package static let options = HTTPMethod(rawValue: "OPTIONS")
}

/// The versions that are spoken here.
package enum HTTPVersion: Sendable {
    case http10
    /// HTTP/1.1, and what a later minor version of 1 is treated as (RFC 9110 section 2.5).
    case http11
}
