import EventLoop

/// What a server asks for its answers. Called on the connection's loop.
public protocol HTTPResponder: AnyObject, Sendable {
    /// Answers a request. Never throws: a fault is a response too.
    func respond(to request: HTTPRequest, received: MonotonicTime) async -> HTTPResponse

    /// The answer to bytes that are no request, or that did not come in time; the connection is closed after it.
    func refuse(_ status: HTTPStatus, reason: String) -> HTTPResponse
}
