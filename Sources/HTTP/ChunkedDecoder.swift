import Bytes

/// Removes the chunked transfer coding (RFC 9112 section 7.1), incrementally.
struct ChunkedDecoder {
    private enum State {
        case size
        case data(remaining: Int)
        case dataEnd
        case trailers
    }

    private let limits: HTTPLimits
    private var state = State.size
    /// Bytes of extensions and trailers so far, which are discarded.
    private var overhead = 0
    private var trailerCount = 0

    /// The content decoded so far, if it is kept.
    private(set) var content: [UInt8] = []
    /// Bytes of content so far, kept or not.
    private var length = 0
    /// Whether the content is kept; without it only its end is looked for.
    var keepsContent = true {
        didSet { if !keepsContent { content = [] } }
    }

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    /// Decodes what it can.
    ///
    /// - Parameter index: moves past what was consumed.
    /// - Returns: whether the body is complete.
    /// - Throws: ``HTTPParseError``.
    mutating func decode(_ buffer: [UInt8], from index: inout Int) throws(HTTPParseError) -> Bool {
        while true {
            switch state {
            case .size:
                guard let line = try Self.line(buffer, from: &index, limit: limits.chunkLineBytes) else { return false }
                let size = try parseSize(buffer[line])
                state = size == 0 ? .trailers : .data(remaining: size)
            case .data(let remaining):
                let count = min(remaining, buffer.count - index)
                if keepsContent { content.append(contentsOf: buffer[index..<(index + count)]) }
                length += count
                index += count
                guard count == remaining else {
                    state = .data(remaining: remaining - count)
                    return false
                }
                state = .dataEnd
            case .dataEnd:
                guard buffer.count > index else { return false }
                guard buffer[index] == 0x0D else { throw .malformed("a chunk longer than its size") }
                guard buffer.count > index + 1 else { return false }
                guard buffer[index + 1] == 0x0A else { throw .malformed("a chunk longer than its size") }
                index += 2
                state = .size
            case .trailers:
                let limit = limits.headerBytes - overhead
                guard let line = try Self.line(buffer, from: &index, limit: limit, status: .requestHeaderFieldsTooLarge)
                else { return false }
                if line.isEmpty { return true }
                // Checked like any field, and dropped: nothing here has a use for one.
                try HTTPHeaders.check(buffer[line])
                overhead += line.count
                trailerCount += 1
                guard trailerCount <= limits.headerFields else {
                    throw HTTPParseError(status: .requestHeaderFieldsTooLarge, reason: "too many trailers")
                }
            }
        }
    }

    /// The next line without its end; `nil` when it is not complete.
    private static func line(
        _ buffer: [UInt8], from index: inout Int, limit: Int, status: HTTPStatus = .badRequest
    ) throws(HTTPParseError) -> Range<Int>? {
        let start = index
        let window = buffer[start..<min(buffer.count, start + max(0, limit) + 2)]
        guard let end = window.firstIndex(of: 0x0A) else {
            guard window.count < max(0, limit) + 2 else {
                throw HTTPParseError(status: status, reason: "a line of a chunked body is too long")
            }
            return nil
        }
        guard end > start, buffer[end - 1] == 0x0D else { throw .malformed("a line that ends in a bare LF") }
        index = end + 1
        return start..<(end - 1)
    }

    private mutating func parseSize(_ line: ArraySlice<UInt8>) throws(HTTPParseError) -> Int {
        let digits = line.prefix { $0.hexadecimalValue != nil }
        var extensions = line[digits.endIndex...]
        // Of the "bad" white space of RFC 9110 section 5.6.3 only what precedes an extension is accepted.
        let unpadded = extensions.drop { $0 == 0x20 || $0 == 0x09 }
        if unpadded.first == UInt8(ascii: ";") { extensions = unpadded }
        guard !digits.isEmpty, extensions.isEmpty || extensions.first == UInt8(ascii: ";"),
            extensions.allSatisfy(ByteClasses.isFieldValue)
        else { throw .malformed("a bad chunk size") }
        overhead += line.endIndex - digits.endIndex
        guard overhead <= limits.headerBytes else { throw .malformed("too many chunk extensions") }
        var size = 0
        for digit in digits {
            size = size << 4 | Int(digit.hexadecimalValue ?? 0)
            // Checked at each digit, so that it cannot overflow.
            guard size <= limits.bodyBytes else { break }
        }
        guard size <= limits.bodyBytes - length else {
            throw HTTPParseError(status: .contentTooLarge, reason: "a chunked body over the limit")
        }
        return size
    }
}
