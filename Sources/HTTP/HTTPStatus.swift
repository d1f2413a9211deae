/// A status code with its reason phrase (RFC 9110 section 15, RFC 6585).
public struct HTTPStatus: RawRepresentable, Hashable, Sendable {
    /// The code, 100 to 599.
    public let rawValue: Int

    /// Wraps a code.
    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// 200
    public static let ok = HTTPStatus(rawValue: 200)
    /// 204
    public static let noContent = HTTPStatus(rawValue: 204)
    /// 308
    public static let permanentRedirect = HTTPStatus(rawValue: 308)
    /// 400
    public static let badRequest = HTTPStatus(rawValue: 400)
    /// 401
    public static let unauthorized = HTTPStatus(rawValue: 401)
    /// 403
    public static let forbidden = HTTPStatus(rawValue: 403)
    /// 404
    public static let notFound = HTTPStatus(rawValue: 404)
    /// 405
    public static let methodNotAllowed = HTTPStatus(rawValue: 405)
    /// 408
    public static let requestTimeout = HTTPStatus(rawValue: 408)
    /// 409
    public static let conflict = HTTPStatus(rawValue: 409)
    /// 413
    public static let contentTooLarge = HTTPStatus(rawValue: 413)
    /// 414
    public static let uriTooLong = HTTPStatus(rawValue: 414)
    /// 417
    public static let expectationFailed = HTTPStatus(rawValue: 417)
    /// 422
    public static let unprocessableContent = HTTPStatus(rawValue: 422)
    /// 429
    public static let tooManyRequests = HTTPStatus(rawValue: 429)
    /// 431
    public static let requestHeaderFieldsTooLarge = HTTPStatus(rawValue: 431)
    /// 500
    public static let internalServerError = HTTPStatus(rawValue: 500)
    /// 501
    public static let notImplemented = HTTPStatus(rawValue: 501)
    /// 503
    public static let serviceUnavailable = HTTPStatus(rawValue: 503)
    /// 505
    public static let httpVersionNotSupported = HTTPStatus(rawValue: 505)

    /// What stands behind the code in a status line; empty for a code without a name here.
    public var reasonPhrase: String {
        switch rawValue {
        case 200: "OK"
        case 204: "No Content"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}
