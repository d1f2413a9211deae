import Concurrency
import EventLoop
import HTTP
import LUXStore
import Postgres

/// Answers the requests of one event loop: route, token, handler, and the one place where errors become responses.
///
/// `@unchecked Sendable` by way of ``HTTPResponder``: it has no state that changes.
package final class APIResponder: HTTPResponder {
    private let services: APIServices
    private let authenticator: Authenticator
    private let router: Router<Access>
    private let nearestRoute: NearestRoute

    /// Makes the responder of a loop.
    package init(services: APIServices) {
        self.services = services
        authenticator = Authenticator(verifier: services.verifier, userClaim: services.userClaim)
        let (files, metrics) = (services.documentation?.files ?? [], services.metrics != nil)
        router = Routes.router(with: files, metrics: metrics)
        nearestRoute = NearestRoute(Routes.served(with: files, metrics: metrics))
    }

    /// Answers a request; part of `HTTPResponder`.
    package func respond(to request: HTTPRequest, received: MonotonicTime) async -> HTTPResponse {
        var record = RequestRecord(request)
        var response: HTTPResponse
        do {
            response = try await answer(request, deadline: received + services.requestTimeout, record: &record)
        } catch {
            let errorResponse = ErrorResponse(error)
            record.cause = errorResponse.cause ?? errorResponse.detail
            response = errorResponse.response
        }
        finish(&response, &record, received: received, request: request.headers)
        return response
    }

    /// Answers bytes that are no request; part of `HTTPResponder`.
    package func refuse(_ status: HTTPStatus, reason: String, request: RefusedRequest) -> HTTPResponse {
        var record = RequestRecord(refused: request, reason: reason)
        var response = ErrorResponse(refused: status, reason: reason).response
        finish(&response, &record, received: .now(), request: request.headers)
        return response
    }

    private func answer(
        _ request: HTTPRequest, deadline: MonotonicTime, record: inout RequestRecord
    ) async throws -> HTTPResponse {
        // RFC 9110 section 9.3.7: what the server as a whole can do.
        if request.method == .options, request.path == "*" {
            var response = HTTPResponse(status: .noContent)
            response.headers.add("Allow", Routes.methods)
            return response
        }
        switch router.match(method: request.method, path: request.path) {
        case .notFound:
            throw APIError.notFound(nearestRoute.cause(for: request.path))
        case .methodNotAllowed(let allow, let pattern):
            record.route = pattern
            let methods = allow.map(\.rawValue).joined(separator: ", ")
            if let preflight = services.cors?.preflight(request, methods: methods) { return preflight }
            throw APIError.methodNotAllowed(allow: methods)
        case .found(.open(let handler), let pattern):
            record.route = pattern
            return try await handler(OpenRequest(services: services, deadline: deadline))
        case .found(.documentation(let file), let pattern):
            record.route = pattern
            guard let response = services.documentation?.response(file) else {
                throw APIError.notFound("no such file")
            }
            return response
        case .found(.metrics, let pattern):
            record.route = pattern
            guard let metrics = services.metrics else { throw APIError.notFound("metrics have a port of their own") }
            return .metrics(metrics())
        case .found(.user(let handler), let pattern):
            record.route = pattern
            let userID = try authenticator.userID(of: request)
            record.userID = userID
            if let seconds = services.rateLimiter?.take(userID: userID, now: .now()) {
                throw APIError.tooManyRequests(retryAfter: seconds)
            }
            let store = DeviceStore(pool: services.pool, deadline: deadline)
            let deviceRequest = DeviceRequest(http: request, userID: userID, store: store, services: services)
            return try await PostgresCaller.$name.withValue(record.requestID) { try await handler(deviceRequest) }
        }
    }

    private func finish(
        _ response: inout HTTPResponse, _ record: inout RequestRecord, received: MonotonicTime, request: HTTPHeaders
    ) {
        // Medical data: for no cache on the way, and never taken for another type than it says.
        response.headers.add("Cache-Control", "no-store")
        response.headers.add("X-Content-Type-Options", "nosniff")
        if let policy = services.strictTransportSecurity {
            response.headers.set("Strict-Transport-Security", policy)
        }
        if let cors = services.cors { cors.apply(to: &response, of: request) }
        record.answer(&response, received: received)
        services.counted.count(record)
        services.log(record)
    }
}
