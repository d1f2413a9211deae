import HTTP
import JSON
import LUX
import LUXStore

/// An error as a client sees it, with its cause for the operator. An immutable value; the only place where errors get a status.
struct ErrorResponse {
    var status: HTTPStatus
    var detail: String
    var headers: [(name: String, value: String)] = []
    /// For the log; never sent.
    var cause: String?
    /// Whether the operator has to act although the API page prescribes a 4xx status.
    var isServerError = false

    /// Maps any error to its status, detail and header fields.
    init(_ error: any Error) {
        switch error {
        case let error as LUXError: self.init(error)
        case let error as RejectedRecord:
            self.init(error.error)
            cause = error.description
        case let error as RejectedWrite:
            self.init(error.error)
            cause = error.description
            isServerError = true
        case let error as FieldError: self.init(status: .unprocessableContent, detail: error.detail)
        case let error as APIError: self.init(error)
        case let error as any StoreError where error.isUnavailable:
            self.init(unavailable: String(describing: error))
        default:
            self.init(
                status: .internalServerError, detail: "Internal server error. Please try again later.",
                cause: String(describing: error))
        }
    }

    init(status: HTTPStatus, detail: String, cause: String? = nil) {
        self.status = status
        self.detail = detail
        self.cause = cause
        // RFC 9110 section 11.6.1: a 401 names the expected scheme.
        if status == .unauthorized { headers = [("WWW-Authenticate", "Bearer")] }
    }

    /// The response of a server that is too busy or cannot reach its database.
    init(unavailable cause: String) {
        self.init(status: .serviceUnavailable, detail: "Service temporarily unavailable", cause: cause)
        headers = [("Retry-After", "1")]
    }

    /// The response to a request that the HTTP server rejects before it reaches the API.
    ///
    /// - Parameter detail: `nil` for the reason phrase of the status.
    init(rejected status: HTTPStatus, reason: String, detail: String? = nil) {
        if status == .serviceUnavailable {
            self.init(unavailable: reason)
        } else {
            self.init(status: status, detail: detail ?? status.reasonPhrase, cause: reason)
            // RFC 9110 section 15.5.16: names the accepted content coding.
            if status == .unsupportedMediaType { headers = [("Accept-Encoding", "identity")] }
        }
    }

    private init(_ error: LUXError) {
        let status: HTTPStatus =
            switch error {
            case .notAuthorizedUser, .userIsNone: .unauthorized
            case .phoneNumberNotFound: .forbidden
            case .deviceNotFound, .notFoundDevice, .notFoundUser: .notFound
            case .alreadyConnectedDevice, .notConnectedDevice, .updateDeviceLogFailed, .createDeviceLogFailed,
                .alimtalkSendFailed:
                .conflict
            }
        self.init(status: status, detail: error.detail)
    }

    private init(_ error: APIError) {
        switch error {
        case .invalidToken(let cause):
            self.init(status: .unauthorized, detail: "Could not validate credentials", cause: cause)
        case .expiredToken:
            self.init(status: .unauthorized, detail: "Token is expired", cause: "token, exp: expired")
        case .notFound(let cause):
            self.init(status: .notFound, detail: "Resource not found", cause: cause)
        case .methodNotAllowed(let allow):
            self.init(
                status: .methodNotAllowed, detail: "Method not allowed", cause: "the path has the methods \(allow)")
            headers = [("Allow", allow)]
        case .tooManyRequests(let seconds, let cause):
            self.init(status: .tooManyRequests, detail: "Too many requests", cause: cause)
            headers = [("Retry-After", String(seconds))]
        case .alimtalkSendFailed(let cause):
            self.init(LUXError.alimtalkSendFailed)
            self.cause = cause
        case .notReady(let what):
            self.init(unavailable: "not ready, waiting for \(what)")
            // Names of migrations and applications may contain anything.
            let ascii = what.unicodeScalars.map { (" "..."~").contains($0) ? Character($0) : "?" }
            headers.append(("X-Waiting-For", String(ascii)))
        }
    }

    /// `{"detail":"…"}` with the headers that belong to it.
    var response: HTTPResponse {
        var response = HTTPResponse.json(status: status) { $0.member("detail", detail) }
        for header in headers { response.headers.add(header.name, header.value) }
        return response
    }
}
