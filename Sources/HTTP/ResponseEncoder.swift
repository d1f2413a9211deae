/// Writes responses as bytes (RFC 9112 section 4).
enum ResponseEncoder {
    private static let statuses = 100...599
    private static let statusLines = statuses.map { code in
        Array("HTTP/1.1 \(code) \(HTTPStatus(rawValue: code).reasonPhrase)\r\n".utf8)
    }

    /// Appends a response: status line, the response's own fields, `Date`, `Content-Length`, `Connection`, content.
    ///
    /// - Parameters:
    ///   - isHead: leaves the content out, with its length still sent (RFC 9110 section 9.3.2).
    ///   - keepAlive: whether the connection stays open after it.
    ///   - date: the value of `Date`.
    static func encode(
        _ response: HTTPResponse, isHead: Bool, version: HTTPVersion, keepAlive: Bool, date: [UInt8],
        into bytes: inout [UInt8]
    ) {
        let status = response.status.rawValue
        bytes.append(contentsOf: statusLines[statuses.contains(status) ? status - 100 : 400])
        bytes.append(contentsOf: response.headers.bytes)
        append("Date: ", to: &bytes)
        bytes.append(contentsOf: date)
        if status >= 200, status != 204 {
            append("\r\nContent-Length: ", to: &bytes)
            append(decimal: response.body.count, to: &bytes)
        }
        if !keepAlive {
            append("\r\nConnection: close", to: &bytes)
        } else if version == .http10 {
            append("\r\nConnection: keep-alive", to: &bytes)
        }
        append("\r\n\r\n", to: &bytes)
        if !isHead { bytes.append(contentsOf: response.body) }
    }

    private static func append(_ text: StaticString, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func append(decimal number: Int, to bytes: inout [UInt8]) {
        let start = bytes.count
        var rest = number
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}
