import HTTP
import LUXOpenAPI

extension Route {
    /// The route as `/openapi.json` shows it.
    ///
    /// - Parameter limits: the limits in force.
    func documented(_ limits: HTTPLimits) -> DocumentedRoute {
        let tag: OpenAPIDocument.Tag =
            switch access {
            case .user: .device
            case .open, .metrics: .health
            case .documentation: .documentation
            }
        return DocumentedRoute(
            method: method.rawValue, path: path, tag: tag, documentation: documentation, errors: errors(limits))
    }

    /// The errors of the route. Status, detail and header fields are those of ``ErrorResponse``.
    func errors(_ limits: HTTPLimits) -> [DocumentedError] {
        var errors: [DocumentedError] = []
        func add(_ response: ErrorResponse, _ description: String) {
            errors.append(
                DocumentedError(
                    status: response.status.rawValue, detail: response.detail, headers: response.headers.map(\.name),
                    description: description))
        }
        add(
            ErrorResponse(rejected: .badRequest, reason: ""),
            "The request is malformed: for example by a bad percent-escape.")
        if case .user = access {
            for error in documentation.errors { add(ErrorResponse(error.error), error.description) }
            add(ErrorResponse(APIError.invalidToken("")), "The token is missing or invalid.")
            add(ErrorResponse(APIError.expiredToken), "The token has expired.")
            add(ErrorResponse(APIError.notFound("")), "The resource cannot be found. Please check the URI again.")
            add(
                ErrorResponse(APIError.tooManyRequests(retryAfter: 1)),
                "A rate or a number of messages or guesses is exceeded.")
            add(ErrorResponse(Unforeseen()), "This is a server error.")
        }
        add(ErrorResponse(APIError.methodNotAllowed(allow: "")), "The path has other methods.")
        if let error = documentation.fieldError {
            add(ErrorResponse(error), "The first invalid parameter or member.")
        }
        if documentation.body != nil {
            add(
                ErrorResponse(rejected: .contentTooLarge, reason: ""),
                "The body is larger than \(Route.size(limits.bodyBytes)).")
        }
        if documentation.parameters.contains(where: { !$0.isHeader }) {
            add(
                ErrorResponse(rejected: .uriTooLong, reason: ""),
                "The request target is longer than \(Route.size(limits.targetBytes)).")
        }
        add(ErrorResponse(unavailable: ""), "The database is out of reach or the server is too busy: try again.")
        return errors
    }

    /// Each status of the route once, in order.
    var statuses: [Int] { Set([200] + errors(HTTPLimits()).map(\.status)).sorted() }

    private struct Unforeseen: Error {}

    private static func size(_ bytes: Int) -> String {
        if bytes % (1 << 20) == 0 { return "\(bytes >> 20) MiB" }
        return bytes % 1_024 == 0 ? "\(bytes >> 10) KiB" : "\(bytes) bytes"
    }
}
