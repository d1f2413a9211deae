import Concurrency
import EventLoop

/// Produces the responses of a server. Called on the connection's loop.
package protocol HTTPResponder: AnyObject, Sendable {
    /// Decides on the header section of a request that has a body, before the body is read.
    ///
    /// - Parameters:
    ///   - head: the request without its body.
    ///   - received: when its header section was complete.
    func admit(_ head: HTTPRequest, received: MonotonicTime) -> HTTPAdmission

    /// The response to a request. Never throws: errors become responses too.
    ///
    /// - Parameter admission: what ``admit(_:received:)`` returned for it; `nil` for a request without a body.
    func respond(
        to request: HTTPRequest, admission: (any Sendable)?, received: MonotonicTime
    ) async -> HTTPResponse

    /// The response to a malformed, timed-out or rejected request.
    func reject(_ status: HTTPStatus, reason: String, request: RejectedRequest) -> HTTPResponse

    /// Whether a request is a probe of the server, which is never rejected because of load.
    func isProbe(_ request: HTTPRequest) -> Bool
}

/// The decision on a request whose body has not been read.
package enum HTTPAdmission: Sendable {
    /// The body is read and passed to the responder, with what is already known of the request.
    case proceed(any Sendable, account: Int64?)
    /// The response is final and the body is discarded.
    case respond(HTTPResponse)
}

extension HTTPResponder {
    /// Reads every body; for responders that have no use for one.
    package func admit(_ head: HTTPRequest, received: MonotonicTime) -> HTTPAdmission {
        .proceed((), account: nil)
    }

    package func isProbe(_ request: HTTPRequest) -> Bool { false }
}

/// The parts of a request that were read before it was rejected.
package struct RejectedRequest: Sendable {
    /// The method, if the request line was read.
    package var method: HTTPMethod?
    /// The header fields, if all of them were read.
    package var headers = HTTPHeaders()

    /// When its first byte was received, if any was.
    package internal(set) var received: MonotonicTime?
    /// A sentence for the client; `nil` for the reason phrase of the status.
    package internal(set) var detail: String?
    /// The client that sent it.
    package internal(set) var client: ClientAddress?

    /// Whether the whole connection was rejected (see ``HTTPServerEvent/connectionRejected(_:)``).
    package internal(set) var isConnection = false

    /// Nothing read yet.
    package init() {}

    init(_ request: HTTPRequest) {
        method = request.method
        headers = request.headers
        client = request.client
    }
}
