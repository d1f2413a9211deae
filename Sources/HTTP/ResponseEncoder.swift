/// Writes responses as bytes (RFC 9112 section 4).
enum ResponseEncoder {
    private static let statusLines: [Int: [UInt8]] = {
        var lines: [Int: [UInt8]] = [:]
        for code in 100...599 {
            lines[code] = Array("HTTP/1.1 \(code) \(HTTPStatus(rawValue: code).reasonPhrase)\r\n".utf8)
        }
        return lines
    }()

    /// Appends a response: status line, the response's own fields, `Date`, `Content-Length`, `Connection`, content.
    ///
    /// - Parameters:
    ///   - isHead: leaves the content out, with its length still told (RFC 9110 section 9.3.2).
    ///   - keepAlive: whether the connection stays open after it.
    ///   - date: the value of `Date`.
    static func encode(
        _ response: HTTPResponse, isHead: Bool, version: HTTPVersion, keepAlive: Bool, date: [UInt8],
        into bytes: inout [UInt8]
    ) {
        bytes.append(contentsOf: statusLines[response.status.rawValue] ?? Array("HTTP/1.1 500 \r\n".utf8))
        for field in response.headers.fields { append(field.name, field.value, to: &bytes) }
        append("Date", to: &bytes)
        bytes.append(contentsOf: date)
        bytes.append(contentsOf: lineEnd)
        if response.status.rawValue >= 200, response.status.rawValue != 204 {
            append("Content-Length", String(response.body.count), to: &bytes)
        }
        if !keepAlive {
            append("Connection", "close", to: &bytes)
        } else if version == .http10 {
            append("Connection", "keep-alive", to: &bytes)
        }
        bytes.append(contentsOf: lineEnd)
        if !isHead { bytes.append(contentsOf: response.body) }
    }

    private static let lineEnd = Array("\r\n".utf8)

    private static func append(_ name: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: name.utf8)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(UInt8(ascii: " "))
    }

    /// A value that held CR, LF or NUL would end the field early and could begin a response of somebody else's making;
    /// these become spaces (RFC 9110 section 5.5).
    private static func append(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        append(name, to: &bytes)
        for byte in value.utf8 {
            bytes.append(byte == 0x0D || byte == 0x0A || byte == 0 ? UInt8(ascii: " ") : byte)
        }
        bytes.append(contentsOf: lineEnd)
    }
}
