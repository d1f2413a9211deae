import HTTP
import JSON

/// `GET /healthz`: the process serves.
@Sendable func healthz(_ request: OpenRequest) async throws -> HTTPResponse {
    .json { $0.member("status", "ok") }
}

/// `GET /readyz`: the database accepts writes and its schema is this program's.
@Sendable func readyz(_ request: OpenRequest) async throws -> HTTPResponse {
    if let missing = await request.services.missing(request.deadline) { throw APIError.notReady(waitingFor: missing) }
    return .json { $0.member("status", "ready") }
}
