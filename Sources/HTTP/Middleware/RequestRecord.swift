import Concurrency

/// The data that is logged for one request. Never contains a token, a body or a phone number.
package struct RequestRecord: Sendable {
    /// The id that the response carries as `X-Request-ID`.
    package var requestID: String
    /// The method, one of those that RFC 9110 and RFC 5789 define, or `other`; empty when the bytes were not a request.
    package var method = ""
    /// The path of the route, not of the request, so that its values are few; empty when none matched.
    package var route = ""
    /// The status of the response.
    package var status = 0
    /// Milliseconds from the request's arrival to its response.
    package var milliseconds = 0.0
    /// The user of the token.
    package var userID: Int64?
    /// The address of the client.
    package var client: ClientAddress?
    /// Why the response is an error, for the operator.
    package var cause: String?
    /// Whether the operator must act although the status is one of the client's errors.
    package var isServerError = false
    /// The span of a trace that the request comes from.
    package var trace: TraceContext?

    /// Whether it is a rejected connection: neither a request of the metrics nor a line of the log, of which there are few for
    /// a flood.
    package var isConnection = false

    /// All other methods are logged as `other`: clients can invent them, of any length and content.
    package static let methods: Set = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    private static func name(of method: HTTPMethod) -> String {
        methods.contains(method.rawValue) ? method.rawValue : "other"
    }

    package init(_ request: HTTPRequest) {
        requestID = RequestID.of(request.headers)
        method = Self.name(of: request.method)
        client = request.client
        trace = TraceContext(request.headers)
    }

    /// Records the response's status and duration, and adds the request id to it.
    package mutating func complete(_ response: inout HTTPResponse, received: MonotonicTime) {
        response.headers.set(.xRequestID, requestID)
        status = response.status.rawValue
        milliseconds = Double(MonotonicTime.now().nanoseconds - received.nanoseconds) / 1e6
    }

    /// Of a request that the HTTP server rejected.
    package init(rejected request: RejectedRequest, reason: String) {
        requestID = RequestID.of(request.headers)
        method = request.method.map(Self.name) ?? ""
        isConnection = request.isConnection
        client = request.client
        cause = reason
        trace = TraceContext(request.headers)
    }
}
