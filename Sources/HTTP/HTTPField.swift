/// The header fields that this program looks at or sends, so that most names are compared as numbers.
package enum HTTPField: UInt8, CaseIterable, Sendable {
    case host, connection, expect, origin, authorization, traceparent, vary, allow, location
    case contentLength, contentType, contentEncoding, transferEncoding, userAgent, accept, acceptEncoding
    case xRequestID, xForwardedFor, cacheControl, xContentTypeOptions, strictTransportSecurity, retryAfter
    case accessControlRequestMethod, accessControlAllowOrigin, accessControlExposeHeaders

    /// As it is sent.
    var name: StaticString {
        switch self {
        case .host: "Host"
        case .connection: "Connection"
        case .expect: "Expect"
        case .origin: "Origin"
        case .authorization: "Authorization"
        case .traceparent: "traceparent"
        case .vary: "Vary"
        case .allow: "Allow"
        case .location: "Location"
        case .contentLength: "Content-Length"
        case .contentType: "Content-Type"
        case .contentEncoding: "Content-Encoding"
        case .transferEncoding: "Transfer-Encoding"
        case .userAgent: "User-Agent"
        case .accept: "Accept"
        case .acceptEncoding: "Accept-Encoding"
        case .xRequestID: "X-Request-ID"
        case .xForwardedFor: "X-Forwarded-For"
        case .cacheControl: "Cache-Control"
        case .xContentTypeOptions: "X-Content-Type-Options"
        case .strictTransportSecurity: "Strict-Transport-Security"
        case .retryAfter: "Retry-After"
        case .accessControlRequestMethod: "Access-Control-Request-Method"
        case .accessControlAllowOrigin: "Access-Control-Allow-Origin"
        case .accessControlExposeHeaders: "Access-Control-Expose-Headers"
        }
    }

    /// The names by their length.
    private static let byLength: [[HTTPField]] = {
        var table = [[HTTPField]](repeating: [], count: 32)
        for field in allCases { table[field.name.utf8CodeUnitCount].append(field) }
        return table
    }()

    /// The field of a name, which is compared without case (RFC 9110 section 5.1).
    init?(_ name: UnsafeRawBufferPointer) {
        guard name.count < Self.byLength.count else { return nil }
        for field in Self.byLength[name.count] where isSameName(name, UnsafeRawBufferPointer(field.name)) {
            self = field
            return
        }
        return nil
    }
}

extension UnsafeRawBufferPointer {
    init(_ text: StaticString) {
        self.init(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}

/// Whether two names are the same except for the case of ASCII letters.
func isSameName(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
    guard one.count == other.count else { return false }
    for index in 0..<one.count where one[index] != other[index] {
        let letter = one[index] | 0x20
        guard letter == other[index] | 0x20, letter >= UInt8(ascii: "a"), letter <= UInt8(ascii: "z") else {
            return false
        }
    }
    return true
}
