import Concurrency
import HTTP
import Metrics

/// Answers `GET /metrics` on a port of its own, for a network that the API's clients do not reach.
///
/// `@unchecked Sendable` by way of ``HTTPResponder``: it has no state that changes.
package final class MetricsResponder: HTTPResponder {
    private static let path = "/metrics"

    private let metrics: @Sendable () -> MetricsText
    private let log: @Sendable (RequestRecord) -> Void

    /// - Parameters:
    ///   - metrics: gives what is measured now.
    ///   - log: takes the record of each answered request.
    package init(metrics: @escaping @Sendable () -> MetricsText, log: @escaping @Sendable (RequestRecord) -> Void) {
        self.metrics = metrics
        self.log = log
    }

    /// The metrics, or an error; part of `HTTPResponder`.
    package func respond(
        to request: HTTPRequest, admission: (any Sendable)?, received: MonotonicTime
    ) async -> HTTPResponse {
        var record = RequestRecord(request)
        var response: HTTPResponse
        do throws(APIError) {
            response = try answer(request, &record)
        } catch {
            let errorResponse = ErrorResponse(error)
            record.cause = errorResponse.cause
            response = errorResponse.response
        }
        return finish(response, record, received)
    }

    /// The answer to what is no request; part of `HTTPResponder`.
    package func refuse(_ status: HTTPStatus, reason: String, request: RefusedRequest) -> HTTPResponse {
        finish(
            ErrorResponse(refused: status, reason: reason, detail: request.detail).response, RequestRecord(refused: request, reason: reason),
            .now())
    }

    package func isProbe(_ request: HTTPRequest) -> Bool { true }

    private func answer(_ request: HTTPRequest, _ record: inout RequestRecord) throws(APIError) -> HTTPResponse {
        guard request.path == Self.path else { throw .notFound("this port has \(Self.path) alone") }
        record.route = Self.path
        guard request.method == .get || request.method == .head else { throw .methodNotAllowed(allow: "GET, HEAD") }
        return .metrics(metrics())
    }

    private func finish(
        _ response: HTTPResponse, _ record: RequestRecord, _ received: MonotonicTime
    ) -> HTTPResponse {
        var (response, record) = (response, record)
        record.answer(&response, received: received)
        log(record)
        return response
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
