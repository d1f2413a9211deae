import Concurrency
import EventLoop
import HTTP

/// Sends every request to the same target over HTTPS (308, RFC 9110 section 15.4.9), which keeps method and body.
///
/// `@unchecked Sendable` by way of ``HTTPResponder``: it has no state that changes.
package final class RedirectResponder: HTTPResponder {
    private let port: Int
    private let log: @Sendable (RequestRecord) -> Void

    /// Makes the responder of a loop.
    ///
    /// - Parameters:
    ///   - port: where HTTPS is spoken.
    ///   - log: takes the record of each answered request.
    package init(port: Int, log: @escaping @Sendable (RequestRecord) -> Void) {
        self.port = port
        self.log = log
    }

    /// The redirection; part of `HTTPResponder`.
    package func respond(
        to request: HTTPRequest, admission: (any Sendable)?, received: MonotonicTime
    ) async -> HTTPResponse {
        var record = RequestRecord(request)
        guard let (authority, pathAndQuery) = request.effectiveURI else {
            record.cause = "no origin to redirect to"
            let refusal = ErrorResponse(status: .badRequest, detail: HTTPStatus.badRequest.reasonPhrase)
            return finish(refusal.response, record, received)
        }
        var response = HTTPResponse(status: .permanentRedirect)
        let suffix = port == 443 ? "" : ":\(port)"
        response.headers.add("Location", "https://\(Self.host(in: authority))\(suffix)\(pathAndQuery)")
        return finish(response, record, received)
    }

    /// The answer to what is no request; part of `HTTPResponder`.
    package func refuse(_ status: HTTPStatus, reason: String, request: RefusedRequest) -> HTTPResponse {
        finish(
            ErrorResponse(refused: status, reason: reason, detail: request.detail).response, RequestRecord(refused: request, reason: reason),
            .now())
    }

    private func finish(
        _ response: HTTPResponse, _ record: RequestRecord, _ received: MonotonicTime
    ) -> HTTPResponse {
        var (response, record) = (response, record)
        record.answer(&response, received: received)
        log(record)
        return response
    }

    /// An authority without its port.
    private static func host(in authority: String) -> Substring {
        let bytes = authority.utf8
        let end = bytes.lastIndex(of: UInt8(ascii: "]")) ?? bytes.startIndex
        let colon = bytes[end...].firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        return authority[..<colon]
    }
}
