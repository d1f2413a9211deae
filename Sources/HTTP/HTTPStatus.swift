/// A status code with its reason phrase (RFC 9110 section 15, RFC 6585).
package struct HTTPStatus: RawRepresentable, Hashable, Sendable {
    /// The code, 100 to 599.
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    package static let ok = HTTPStatus(rawValue: 200)
    package static let noContent = HTTPStatus(rawValue: 204)
    package static let permanentRedirect = HTTPStatus(rawValue: 308)
    package static let badRequest = HTTPStatus(rawValue: 400)
    package static let unauthorized = HTTPStatus(rawValue: 401)
    package static let forbidden = HTTPStatus(rawValue: 403)
    package static let notFound = HTTPStatus(rawValue: 404)
    package static let methodNotAllowed = HTTPStatus(rawValue: 405)
    package static let requestTimeout = HTTPStatus(rawValue: 408)
    package static let conflict = HTTPStatus(rawValue: 409)
    package static let contentTooLarge = HTTPStatus(rawValue: 413)
    package static let uriTooLong = HTTPStatus(rawValue: 414)
    package static let unsupportedMediaType = HTTPStatus(rawValue: 415)
    package static let expectationFailed = HTTPStatus(rawValue: 417)
    package static let unprocessableContent = HTTPStatus(rawValue: 422)
    package static let tooManyRequests = HTTPStatus(rawValue: 429)
    package static let requestHeaderFieldsTooLarge = HTTPStatus(rawValue: 431)
    package static let internalServerError = HTTPStatus(rawValue: 500)
    package static let notImplemented = HTTPStatus(rawValue: 501)
    package static let serviceUnavailable = HTTPStatus(rawValue: 503)
    package static let httpVersionNotSupported = HTTPStatus(rawValue: 505)

    /// The reason phrase of a status line; empty for a code without a name here.
    package var reasonPhrase: String {
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
        case 415: "Unsupported Media Type"
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
