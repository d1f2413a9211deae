/// A request that could not be parsed. The connection is closed after the response, since no later byte can be trusted
/// (RFC 9112 section 11.2).
package struct HTTPParseError: Error, Equatable, Sendable {
    /// The status that the client gets.
    package let status: HTTPStatus
    /// For the log; contains no byte of the request.
    package let reason: String

    package init(status: HTTPStatus, reason: String) {
        self.status = status
        self.reason = reason
    }

    static func malformed(_ reason: String) -> HTTPParseError {
        HTTPParseError(status: .badRequest, reason: reason)
    }
}
