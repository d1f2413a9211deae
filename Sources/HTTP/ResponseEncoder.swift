import Bytes

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
    ///   - hint: `Connection` and `Keep-Alive` for a client that named `keep-alive`; empty for one that did not.
    ///   - date: the value of `Date`.
    static func encode(
        _ response: HTTPResponse, isHead: Bool, version: HTTPVersion, keepAlive: Bool, hint: [UInt8] = [],
        date: [UInt8], into bytes: inout [UInt8]
    ) {
        let status = response.status.rawValue
        bytes.append(contentsOf: statusLines[statuses.contains(status) ? status - 100 : 400])
        bytes.append(contentsOf: response.headers.bytes)
        append("Date: ", to: &bytes)
        bytes.append(contentsOf: date)
        if status >= 200, status != 204 {
            append("\r\nContent-Length: ", to: &bytes)
            bytes.append(decimal: Int64(response.body.count))
        }
        if !keepAlive {
            append("\r\nConnection: close", to: &bytes)
        } else if !hint.isEmpty {
            bytes.append(contentsOf: hint)
        } else if version == .http10 {
            append("\r\nConnection: keep-alive", to: &bytes)
        }
        append("\r\n\r\n", to: &bytes)
        if !isHead { bytes.append(contentsOf: response.body) }
    }

    /// `Connection: keep-alive` with how long a kept connection may be idle (RFC 9112 appendix C.2.2), as a line break and
    /// two fields. A server computes it once.
    static func keepAliveHint(idleTime: Duration) -> [UInt8] {
        let seconds = idleTime.components.seconds
        return Array("\r\nConnection: keep-alive".utf8)
            + (seconds > 0 ? Array("\r\nKeep-Alive: timeout=\(seconds)".utf8) : [])
    }

    private static func append(_ text: StaticString, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
