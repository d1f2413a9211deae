import Bytes

/// Request line and header fields, checked, and what they mean for the body and the connection. Immutable.
///
/// A class: a request is copied at each step of its way, and the references in here would be counted each time.
final class RequestHead: Sendable {
    /// How the length of the body is determined (RFC 9112 section 6.3).
    enum Framing: Equatable, Sendable {
        case length(Int)
        case chunked
    }

    let method: HTTPMethod
    let target: String
    let path: String
    let query: HTTPQuery
    let version: HTTPVersion
    let headers: HTTPHeaders
    let framing: Framing
    let keepAlive: Bool
    /// Whether the client names `keep-alive` in `Connection`.
    let requestsKeepAlive: Bool
    let expectsContinue: Bool

    init(_ requestLine: RequestLine, headers: HTTPHeaders, limits: HTTPLimits) throws(HTTPParseError) {
        let target = try RequestTarget(requestLine.target, method: requestLine.method)
        try Self.checkHost(headers, version: requestLine.version)
        let connection = headers.tokens(.connection)

        method = requestLine.method
        version = requestLine.version
        self.target = String(decoding: requestLine.target, as: UTF8.self)
        path = target.path
        query = target.query
        framing = try Self.framing(headers, version: version, limits: limits)
        try Self.checkContentCoding(headers)
        expectsContinue = try Self.expectsContinue(headers, version: version) && framing != .length(0)
        requestsKeepAlive = connection.contains("keep-alive")
        keepAlive = !connection.contains("close") && (version == .http11 || requestsKeepAlive)
        self.headers = headers
    }

    /// RFC 9112 section 3.2: exactly one Host in HTTP/1.1, never two, and a valid one.
    private static func checkHost(_ headers: HTTPHeaders, version: HTTPVersion) throws(HTTPParseError) {
        guard let host = headers.onlyValue(of: .host) else {
            if headers.contains(.host) { throw .malformed("several Hosts") }
            guard version == .http10 else { throw .malformed("no Host") }
            return
        }
        guard RequestTarget.isAuthority(host) else { throw .malformed("a bad Host") }
    }

    /// RFC 9112 section 6. Both headers together, several lengths, even equal ones, and codings in HTTP/1.0 are how requests
    /// are smuggled (section 11.2), so they are rejected rather than repaired.
    private static func framing(
        _ headers: HTTPHeaders, version: HTTPVersion, limits: HTTPLimits
    ) throws(HTTPParseError) -> Framing {
        let lengths = headers.values(for: .contentLength)
        let codings = headers.values(for: .transferEncoding)
        guard codings.isEmpty else {
            guard lengths.isEmpty else { throw .malformed("Content-Length beside Transfer-Encoding") }
            guard version == .http11 else { throw .malformed("Transfer-Encoding in HTTP/1.0") }
            return try checkCodings(codings)
        }
        guard let length = lengths.first else { return .length(0) }
        guard lengths.count == 1, length.utf8.isDecimal else {
            throw .malformed("a bad Content-Length")
        }
        // Only digits are left, so what is not an `Int` is too large for one.
        guard let length = Int(length), length <= limits.bodyBytes else {
            throw HTTPParseError(status: .contentTooLarge, reason: "Content-Length over the limit")
        }
        return .length(length)
    }

    /// No content coding is decoded here (RFC 9110 section 15.5.16).
    private static func checkContentCoding(_ headers: HTTPHeaders) throws(HTTPParseError) {
        guard headers.tokens(.contentEncoding).allSatisfy({ $0 == "identity" }) else {
            throw HTTPParseError(status: .unsupportedMediaType, reason: "a content coding other than identity")
        }
    }

    private static func checkCodings(_ fields: [String]) throws(HTTPParseError) -> Framing {
        let names = fields.flatMap { HTTPHeaders.members($0) }
        if names == ["chunked"] { return .chunked }
        guard !names.contains(""), !names.dropLast().contains("chunked") else {
            throw .malformed("a bad list of transfer codings")
        }
        throw HTTPParseError(status: .notImplemented, reason: "an unknown transfer coding")
    }

    private static func expectsContinue(_ headers: HTTPHeaders, version: HTTPVersion) throws(HTTPParseError) -> Bool {
        // A server must ignore the expectation of an HTTP/1.0 client (RFC 9110 section 10.1.1).
        guard version == .http11 else { return false }
        let expectations = headers.values(for: .expect)
        guard expectations.allSatisfy({ HTTPHeaders.lowercased($0) == "100-continue" }) else {
            throw HTTPParseError(status: .expectationFailed, reason: "an unknown expectation")
        }
        return !expectations.isEmpty
    }
}

/// Method, target and version (RFC 9112 section 3).
struct RequestLine {
    let method: HTTPMethod
    let target: ArraySlice<UInt8>
    let version: HTTPVersion

    init(_ line: ArraySlice<UInt8>) throws(HTTPParseError) {
        // Exactly two spaces.
        guard let first = line.firstIndex(of: UInt8(ascii: " ")),
            let second = line[(first + 1)...].firstIndex(of: UInt8(ascii: " "))
        else { throw .malformed("a bad request line") }
        let (name, target, version) = (line[..<first], line[(first + 1)..<second], line[(second + 1)...])
        guard !name.isEmpty, name.allSatisfy(ByteClasses.isToken), !target.isEmpty,
            target.allSatisfy(ByteClasses.isTarget), !version.contains(UInt8(ascii: " "))
        else { throw .malformed("a bad request line") }
        method = HTTPMethod(rawValue: String(decoding: name, as: UTF8.self))
        self.target = target
        self.version = try Self.version(version)
    }

    private static func version(_ bytes: ArraySlice<UInt8>) throws(HTTPParseError) -> HTTPVersion {
        let start = bytes.startIndex
        guard bytes.count == 8, bytes[..<(start + 5)].elementsEqual(prefix), bytes[start + 5].isDigit,
            bytes[start + 6] == UInt8(ascii: "."), bytes[start + 7].isDigit
        else { throw .malformed("a bad version") }
        guard bytes[start + 5] == UInt8(ascii: "1") else {
            throw HTTPParseError(status: .httpVersionNotSupported, reason: "another major version")
        }
        return bytes[start + 7] == UInt8(ascii: "0") ? .http10 : .http11
    }

    private static let prefix = Array("HTTP/".utf8)
}
