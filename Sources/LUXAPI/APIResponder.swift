import Concurrency
import HTTP
import LUXStore

/// Responds to the requests of one event loop: route, token and rate limit, then the handler, and the one place where errors
/// become responses.
///
/// Confined to its loop; it has no mutable state.
package final class APIResponder: HTTPResponder {
    private let services: APIServices
    private let authenticator: Authenticator
    private let router: Router<Access>
    private let nearestRoute: NearestRoute
    private let counter: RequestCounter

    /// The result of processing the header section of a request, before its body is read.
    private struct Admitted: Sendable {
        var record: RequestRecord
        var destination: Destination
    }

    private enum Destination: Sendable {
        /// The response is complete already.
        case response(HTTPResponse)
        case open(@Sendable (OpenRequest) async throws -> HTTPResponse)
        case user(Int64, @Sendable (DeviceRequest) async throws -> HTTPResponse)
    }

    /// Creates the responder of a loop.
    package init(services: APIServices) {
        self.services = services
        authenticator = Authenticator(
            verifier: services.verifier, userClaim: services.userClaim, onUnknownKey: services.onUnknownKey)
        let (files, metrics) = (services.documentation?.files ?? [], services.metrics != nil)
        let served = Routes.served(with: files, metrics: metrics)
        counter = services.counted.counter(for: served)
        router = Routes.router(with: files, metrics: metrics)
        nearestRoute = NearestRoute(served)
    }

    package func admit(_ head: HTTPRequest, received: MonotonicTime) -> HTTPAdmission {
        var record = RequestRecord(head)
        do throws(APIError) {
            let destination = try destination(of: head, &record)
            var account: Int64?
            if case .user(let userID, _) = destination { account = userID }
            return .proceed(Admitted(record: record, destination: destination), account: account)
        } catch {
            return .respond(response(to: error, &record, received: received, request: head.headers))
        }
    }

    package func respond(
        to request: HTTPRequest, admission: (any Sendable)?, received: MonotonicTime
    ) async -> HTTPResponse {
        var record: RequestRecord
        do {
            let destination: Destination
            if let admitted = admission as? Admitted {
                record = admitted.record
                destination = admitted.destination
            } else {
                record = RequestRecord(request)
                destination = try self.destination(of: request, &record)
            }
            var response = try await respond(
                to: request, destination, received + services.handlerTimeout, record.requestID)
            finish(&response, &record, received: received, request: request.headers)
            return response
        } catch {
            return response(to: error, &record, received: received, request: request.headers)
        }
    }

    package func reject(_ status: HTTPStatus, reason: String, request: RejectedRequest) -> HTTPResponse {
        var record = RequestRecord(rejected: request, reason: reason)
        var response = ErrorResponse(rejected: status, reason: reason, detail: request.detail).response
        finish(&response, &record, received: request.received ?? .now(), request: request.headers)
        return response
    }

    package func isProbe(_ request: HTTPRequest) -> Bool {
        switch router.match(method: request.method, path: request.path) {
        case .found(.open, _), .found(.metrics, _): true
        default: false
        }
    }

    // MARK: Steps
    // Never inlined into `respond`, whose frame would contain their variables while the handler is suspended.

    /// Checks route, token and rate limit, which the header section alone determines.
    @inline(never) private func destination(of request: HTTPRequest, _ record: inout RequestRecord) throws(APIError)
        -> Destination
    {
        // RFC 9110 section 9.3.7: what the server as a whole can do.
        if request.method == .options, request.path == "*" {
            var response = HTTPResponse(status: .noContent)
            response.headers.add("Allow", Routes.methods)
            return .response(response)
        }
        switch router.match(method: request.method, path: request.path) {
        case .notFound:
            if let callback = services.messageCallback, MessageCallback.isCallback(request.path) {
                return try destination(of: request, callback, &record)
            }
            throw .notFound(nearestRoute.cause(for: request.path))
        case .methodNotAllowed(let allow, let pattern):
            record.route = pattern
            let methods = allow.map(\.rawValue).joined(separator: ", ")
            if let preflight = services.cors?.preflight(request, methods: methods) { return .response(preflight) }
            throw .methodNotAllowed(allow: methods)
        case .found(let access, let pattern):
            record.route = pattern
            return try destination(of: request, access, &record)
        }
    }

    private func destination(
        of request: HTTPRequest, _ callback: MessageCallback, _ record: inout RequestRecord
    ) throws(APIError) -> Destination {
        record.route = MessageCallback.route
        guard callback.accepts(request.path) else { throw .notFound("callback with another provider or secret") }
        guard request.method == .post else { throw .methodNotAllowed(allow: "POST") }
        return .open { _ in
            callback.onHint()
            return .json(bytes: Array("null".utf8))
        }
    }

    private func destination(
        of request: HTTPRequest, _ access: Access, _ record: inout RequestRecord
    ) throws(APIError) -> Destination {
        switch access {
        case .open(let handler):
            return .open(handler)
        case .documentation(let file):
            guard let response = services.documentation?.response(file) else { throw .notFound("no such file") }
            return .response(response)
        case .metrics:
            guard let metrics = services.metrics else { throw .notFound("metrics have a port of their own") }
            return .response(.metrics(metrics()))
        case .user(let handler):
            let userID = try authenticator.userID(of: request)
            record.userID = userID
            if let seconds = services.rateLimiter?.take(userID: userID, now: .now()) {
                throw .tooManyRequests(retryAfter: seconds)
            }
            return .user(userID, handler)
        }
    }

    private func respond(
        to request: HTTPRequest, _ destination: Destination, _ deadline: MonotonicTime, _ requestID: String
    ) async throws -> HTTPResponse {
        switch destination {
        case .response(let response):
            return response
        case .open(let handler):
            return try await handler(OpenRequest(services: services, deadline: deadline))
        case .user(let userID, let handler):
            let deviceRequest = DeviceRequest(
                http: request, userID: userID, requestID: requestID, deadline: deadline, services: services)
            return try await DeviceDatabase.attributing(to: requestID) { try await handler(deviceRequest) }
        }
    }

    // MARK: Endings

    @inline(never) private func response(
        to error: any Error, _ record: inout RequestRecord, received: MonotonicTime, request: HTTPHeaders
    ) -> HTTPResponse {
        let errorResponse = ErrorResponse(error)
        record.cause = errorResponse.cause ?? errorResponse.detail
        record.isServerError = errorResponse.isServerError
        var response = errorResponse.response
        finish(&response, &record, received: received, request: request)
        return response
    }

    @inline(never) private func finish(
        _ response: inout HTTPResponse, _ record: inout RequestRecord, received: MonotonicTime, request: HTTPHeaders
    ) {
        // Medical data: never cached, and never taken for another type than declared.
        response.headers.add(.cacheControl, "no-store")
        response.headers.add(.xContentTypeOptions, "nosniff")
        if let policy = services.strictTransportSecurity {
            response.headers.set(.strictTransportSecurity, policy)
        }
        if let cors = services.cors { cors.apply(to: &response, of: request) }
        record.complete(&response, received: received)
        if Task.isCancelled {
            // Not a server error: the client has disconnected. nginx logs the same status.
            record.cause = "the client disconnected" + (record.cause.map { ": \($0)" } ?? "")
            record.status = 499
        }
        counter.count(record)
        services.log(record)
    }
}
