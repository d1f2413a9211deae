import EventLoop
import HTTP
import Metrics

/// Answers `GET /metrics` on a port of its own, for a network that the API's clients do not reach.
///
/// `@unchecked Sendable` by way of ``HTTPResponder``: it has no state that changes.
public final class MetricsResponder: HTTPResponder {
    private let metrics: @Sendable () -> MetricsText

    /// - Parameter metrics: gives what is measured now.
    public init(metrics: @escaping @Sendable () -> MetricsText) {
        self.metrics = metrics
    }

    /// The metrics, or an error; part of `HTTPResponder`.
    public func respond(to request: HTTPRequest, received: MonotonicTime) async -> HTTPResponse {
        guard request.path == "/metrics" else { return ErrorResponse(APIError.notFound).response }
        guard request.method == .get || request.method == .head else {
            return ErrorResponse(APIError.methodNotAllowed(allow: "GET, HEAD")).response
        }
        return .metrics(metrics())
    }

    /// The answer to what is no request; part of `HTTPResponder`.
    public func refuse(_ status: HTTPStatus, reason: String, request: RefusedRequest) -> HTTPResponse {
        ErrorResponse(refused: status, reason: reason).response
    }
}

extension HTTPResponse {
    /// Metrics in Prometheus' text format.
    static func metrics(_ text: MetricsText) -> HTTPResponse {
        var headers = HTTPHeaders()
        headers.add("Content-Type", MetricsText.contentType)
        return HTTPResponse(status: .ok, headers: headers, body: text.bytes)
    }
}
