import Glibc

/// Turns bytes into requests: a pure, incremental parser that owns its receive buffer.
///
/// Strict where RFC 9112 leaves a choice: a request that two servers could read in two ways is rejected.
package struct RequestParser {
    /// What the next bytes belong to.
    package enum Phase: Sendable {
        /// No byte of a next request is here; empty lines before it do not count.
        case idle
        /// A header section has begun.
        case head
        /// The header section is complete and its body is not.
        case body
        /// The request has had its response; the rest of its body is being discarded.
        case discarding
    }

    /// The result of parsing the bytes so far.
    package enum Step: Sendable {
        /// A header section whose body is still to be read, as a request without its body. Returned once.
        case head(HTTPRequest)
        /// A complete request.
        case request(HTTPRequest)
    }

    private enum State {
        case head
        case body(RequestHead, length: Int)
        case chunked(RequestHead, ChunkedDecoder)
        case discarding(length: Int)
        case discardingChunks(ChunkedDecoder)
    }

    private let limits: HTTPLimits
    private var buffer: [UInt8] = []
    private var state = State.head
    /// Where the current request begins.
    private var start = 0
    /// Up to where the header section was searched for the ends of its lines.
    private var scanned = 0
    /// The lines of the header section found so far, without their ends.
    private var lines: [Range<Int>] = []
    /// The known parts of the current request, kept if it is then rejected.
    package private(set) var unfinished = RejectedRequest()
    private var expectsContinue = false
    /// The client that its requests are from.
    var client: ClientAddress?
    /// Number of empty lines that were skipped before the current request.
    private var emptyLines = 0

    /// A parser for one connection.
    package init(limits: HTTPLimits) {
        self.limits = limits
    }

    /// Takes what was received.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        buffer.append(contentsOf: bytes)
    }

    /// What the next bytes belong to.
    package var phase: Phase {
        switch state {
        case .head: start == buffer.count || isLoneCarriageReturn ? .idle : .head
        case .body, .chunked: .body
        case .discarding, .discardingChunks: .discarding
        }
    }

    private var isLoneCarriageReturn: Bool {
        buffer.count == start + 1 && buffer[start] == 0x0D
    }

    /// Bytes in memory of requests that are not complete.
    var bufferedBytes: Int {
        guard case .chunked(_, let decoder) = state else { return buffer.count - start }
        return buffer.count - start + decoder.content.count
    }

    /// Discards the body of the request whose ``Step/head(_:)`` was returned last: it uses no memory, and ``next()``
    /// continues with the next request.
    package mutating func discardBody() {
        switch state {
        case .body(_, let length): state = .discarding(length: length)
        case .chunked(_, var decoder):
            decoder.keepsContent = false
            state = .discardingChunks(decoder)
        case .head, .discarding, .discardingChunks: break
        }
        expectsContinue = false
        unfinished = RejectedRequest()
    }

    /// Whether the client waits for `100 Continue` before it sends a body of which nothing is here (RFC 9110 section
    /// 10.1.1). True once for a request.
    package mutating func takeContinueExpectation() -> Bool {
        guard expectsContinue else { return false }
        expectsContinue = false
        return start == buffer.count
    }

    /// Parses the bytes so far.
    ///
    /// - Returns: `nil` when more bytes are needed.
    /// - Throws: ``HTTPParseError``; the parser must not be used after it.
    package mutating func next() throws(HTTPParseError) -> Step? {
        guard try finishDiscarding() else { return nil }
        if case .head = state {
            guard let head = try scanHead() else { return nil }
            switch head.framing {
            case .length(0): return .request(finish(head, []))
            case .length(let length): state = .body(head, length: length)
            case .chunked: state = .chunked(head, ChunkedDecoder(limits: limits))
            }
            expectsContinue = head.expectsContinue
            return .head(request(head, []))
        }
        return try body().map { .request($0) }
    }

    /// The request whose body is being read, once it is complete.
    private mutating func body() throws(HTTPParseError) -> HTTPRequest? {
        switch state {
        case .head, .discarding, .discardingChunks:
            return nil
        case .body(let head, let length):
            guard buffer.count - start >= length else { return nil }
            let body = Array(buffer[start..<(start + length)])
            start += length
            return finish(head, body)
        case .chunked(let head, var decoder):
            // The decoder's content must not be referenced twice, or each append would copy it.
            state = .head
            let isComplete = try decoder.decode(buffer, from: &start)
            guard isComplete else {
                discardConsumed()
                state = .chunked(head, decoder)
                return nil
            }
            return finish(head, decoder.content)
        }
    }

    /// - Returns: whether no body is left to discard.
    private mutating func finishDiscarding() throws(HTTPParseError) -> Bool {
        switch state {
        case .head, .body, .chunked: return true
        case .discarding(let length):
            let count = min(length, buffer.count - start)
            start += count
            state = count == length ? .head : .discarding(length: length - count)
        case .discardingChunks(var decoder):
            state = try decoder.decode(buffer, from: &start) ? .head : .discardingChunks(decoder)
        }
        discardConsumed()
        guard case .head = state else { return false }
        emptyLines = 0
        return true
    }

    private mutating func finish(_ head: RequestHead, _ body: [UInt8]) -> HTTPRequest {
        expectsContinue = false
        emptyLines = 0
        discardConsumed()
        state = .head
        unfinished = RejectedRequest()
        return request(head, body)
    }

    private func request(_ head: RequestHead, _ body: [UInt8]) -> HTTPRequest {
        HTTPRequest(head, body: body, client: client)
    }

    private mutating func discardConsumed() {
        if start == buffer.count {
            if buffer.capacity > limits.idleBufferBytes { buffer = [] } else { buffer.removeAll(keepingCapacity: true) }
            start = 0
        } else if start > 64 << 10 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        scanned = start
    }

    // MARK: The header section

    /// The header section, once its empty last line is here.
    private mutating func scanHead() throws(HTTPParseError) -> RequestHead? {
        if lines.isEmpty { try skipEmptyLines() }
        while let end = nextLineFeed() {
            let lineStart = lines.last.map { $0.upperBound + 2 } ?? start
            guard end > lineStart, buffer[end - 1] == 0x0D else { throw .malformed("a line that ends in a bare LF") }
            let line = lineStart..<(end - 1)
            scanned = end + 1
            if line.isEmpty {
                guard !lines.isEmpty else { throw .malformed("an empty request line") }
                try checkSize(upTo: scanned)
                let requestLine = try RequestLine(buffer[lines[0]])
                unfinished.method = requestLine.method
                let fields = lines.dropFirst()
                if let first = fields.first {
                    try unfinished.headers.parse(buffer[first.lowerBound..<lineStart], lines: fields)
                }
                let head = try RequestHead(requestLine, headers: unfinished.headers, limits: limits)
                start = scanned
                lines.removeAll(keepingCapacity: true)
                return head
            }
            lines.append(line)
            if lines.count == 1 { try checkRequestLine(line) }
            guard lines.count <= limits.headerFields + 1 else {
                throw HTTPParseError(status: .requestHeaderFieldsTooLarge, reason: "too many header fields")
            }
        }
        scanned = buffer.count
        if lines.isEmpty, start < buffer.count {
            // A CR at the end may be the line's.
            let end = buffer[buffer.count - 1] == 0x0D ? buffer.count - 1 : buffer.count
            if start < end { try checkRequestLine(start..<end) }
        }
        try checkSize(upTo: buffer.count)
        return nil
    }

    private func nextLineFeed() -> Int? {
        buffer.withUnsafeBufferPointer { bytes in
            guard scanned < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + scanned, 0x0A, bytes.count - scanned)
            else { return nil }
            return UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// A robust server ignores at least one empty line before a request (RFC 9112 section 2.2), but not a stream of them.
    private mutating func skipEmptyLines() throws(HTTPParseError) {
        while buffer.count - start >= 2, buffer[start] == 0x0D, buffer[start + 1] == 0x0A {
            start += 2
            emptyLines += 1
            guard emptyLines <= 8 else { throw .malformed("nothing but empty lines") }
        }
        scanned = max(scanned, start)
        if start == buffer.count { discardConsumed() }
    }

    private func checkSize(upTo end: Int) throws(HTTPParseError) {
        guard end - start <= limits.headerBytes else {
            throw HTTPParseError(status: .requestHeaderFieldsTooLarge, reason: "the header section is too large")
        }
    }

    /// Rejects an incomplete line that cannot become a request line: an endless method or target, or another protocol.
    private func checkRequestLine(_ line: Range<Int>) throws(HTTPParseError) {
        let bytes = buffer[line]
        let method = bytes.prefix(limits.methodBytes + 1).prefix { $0 != UInt8(ascii: " ") }
        guard method.allSatisfy(ByteClasses.isToken), !method.isEmpty else { throw .malformed("no method") }
        guard method.count <= limits.methodBytes else {
            throw HTTPParseError(status: .notImplemented, reason: "the method is too long")
        }
        let target = bytes.dropFirst(method.count + 1).prefix { $0 != UInt8(ascii: " ") }
        guard target.count <= limits.targetBytes else {
            throw HTTPParseError(status: .uriTooLong, reason: "the target is too long")
        }
    }
}
