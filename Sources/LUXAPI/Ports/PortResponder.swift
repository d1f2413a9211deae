import Concurrency
import HTTP
import Metrics

/// Responds to the requests of a port that has one purpose other than the API: metrics, or the redirection to HTTPS.
///
/// Confined to its loop; it has no mutable state.
package final class PortResponder: HTTPResponder {
    /// - Throws: ``APIError``, which becomes the response.
    typealias Handler = @Sendable (HTTPRequest, inout RequestRecord) throws -> HTTPResponse

    private let handler: Handler
    private let isForProbes: Bool
    private let log: @Sendable (RequestRecord) -> Void

    init(isForProbes: Bool, log: @escaping @Sendable (RequestRecord) -> Void, handler: @escaping Handler) {
        self.isForProbes = isForProbes
        self.log = log
        self.handler = handler
    }

    package func respond(
        to request: HTTPRequest, admission: (any Sendable)?, received: MonotonicTime
    ) async -> HTTPResponse {
        var record = RequestRecord(request)
        do {
            return finish(try handler(request, &record), record, received)
        } catch {
            let errorResponse = ErrorResponse(error)
            record.cause = errorResponse.cause ?? errorResponse.detail
            return finish(errorResponse.response, record, received)
        }
    }

    package func reject(_ status: HTTPStatus, reason: String, request: RejectedRequest) -> HTTPResponse {
        finish(
            ErrorResponse(rejected: status, reason: reason, detail: request.detail).response,
            RequestRecord(rejected: request, reason: reason), request.received ?? .now())
    }

    package func isProbe(_ request: HTTPRequest) -> Bool { isForProbes }

    private func finish(
        _ response: HTTPResponse, _ record: RequestRecord, _ received: MonotonicTime
    ) -> HTTPResponse {
        var (response, record) = (response, record)
        record.complete(&response, received: received)
        log(record)
        return response
    }
}

extension PortResponder {
    /// `GET /metrics` on a port of its own, for a network that the API's clients do not reach.
    ///
    /// - Parameters:
    ///   - metrics: the current values.
    ///   - log: receives the record of each request.
    package static func metrics(
        _ metrics: @escaping @Sendable () -> MetricsText, log: @escaping @Sendable (RequestRecord) -> Void
    ) -> PortResponder {
        let path = "/metrics"
        return PortResponder(isForProbes: true, log: log) { request, record in
            guard request.path == path else { throw APIError.notFound("this port has \(path) alone") }
            record.route = path
            guard request.method == .get || request.method == .head else {
                throw APIError.methodNotAllowed(allow: "GET, HEAD")
            }
            return .metrics(metrics())
        }
    }

    /// Sends every request to the same target over HTTPS (308, RFC 9110 section 15.4.9), which keeps method and body.
    ///
    /// - Parameters:
    ///   - port: the port for HTTPS.
    ///   - log: receives the record of each request.
    package static func redirection(
        to port: Int, log: @escaping @Sendable (RequestRecord) -> Void
    ) -> PortResponder {
        let suffix = port == 443 ? "" : ":\(port)"
        return PortResponder(isForProbes: false, log: log) { request, record in
            guard let (authority, pathAndQuery) = request.effectiveURI else {
                record.cause = "no origin to redirect to"
                return ErrorResponse(status: .badRequest, detail: HTTPStatus.badRequest.reasonPhrase).response
            }
            var response = HTTPResponse(status: .permanentRedirect)
            response.headers.add("Location", "https://\(host(in: authority))\(suffix)\(pathAndQuery)")
            return response
        }
    }

    /// An authority without its port.
    private static func host(in authority: String) -> Substring {
        let bytes = authority.utf8
        let end = bytes.lastIndex(of: UInt8(ascii: "]")) ?? bytes.startIndex
        let colon = bytes[end...].firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        return authority[..<colon]
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
