import HTTP

/// What the log says of one answered request. Never holds a token, a body or a phone number.
public struct RequestRecord: Sendable {
    /// The id that the answer carries as `X-Request-ID`.
    public var requestID: String
    /// The method; empty when the bytes were no request.
    public var method = ""
    /// The path of the route, not of the request, so that its values are few; empty when none matched.
    public var route = ""
    /// The status of the answer.
    public var status = 0
    /// Milliseconds from the request's arrival to its answer.
    public var milliseconds = 0.0
    /// The user of the token.
    public var userID: Int64?
    /// Why the answer is an error, for the operator.
    public var cause: String?
    /// The span of a trace that the request comes from.
    public var trace: TraceContext?

    init(_ request: HTTPRequest) {
        requestID = RequestID.of(request.headers)
        method = request.method.rawValue
        trace = TraceContext(request.headers)
    }

    /// Of a request that the HTTP server refused.
    init(refused request: RefusedRequest, reason: String) {
        requestID = RequestID.of(request.headers)
        method = request.method?.rawValue ?? ""
        cause = reason
        trace = TraceContext(request.headers)
    }
}
