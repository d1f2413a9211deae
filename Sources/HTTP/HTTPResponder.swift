import Concurrency
import EventLoop

/// What a server asks for its answers. Called on the connection's loop.
package protocol HTTPResponder: AnyObject, Sendable {
    /// Answers a request. Never throws: a fault is a response too.
    func respond(to request: HTTPRequest, received: MonotonicTime) async -> HTTPResponse

    /// The answer to bytes that are no request, that did not come in time, or that there is no room for.
    func refuse(_ status: HTTPStatus, reason: String, request: RefusedRequest) -> HTTPResponse
}

/// What was read of a request before it was refused.
package struct RefusedRequest: Sendable {
    /// The method, if the request line was read.
    package var method: HTTPMethod?
    /// The header fields, if all of them were read.
    package var headers = HTTPHeaders()

    /// Whether it is a connection that was refused, of which ``HTTPServerEvent/connectionRefused(_:)`` tells.
    package internal(set) var isConnection = false

    /// Nothing read yet.
    package init() {}

    init(_ request: HTTPRequest) {
        method = request.method
        headers = request.headers
    }
}
