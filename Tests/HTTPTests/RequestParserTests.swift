import Testing

@testable import HTTP

/// The parser: every case of the table whole, byte by byte, and split at each position.
@Suite struct RequestParserTests {
    private static let limits: HTTPLimits = {
        var limits = HTTPLimits()
        limits.targetBytes = 200
        limits.headerBytes = 500
        limits.headerFields = 10
        limits.bodyBytes = 1_000
        return limits
    }()

    /// Feeds pieces one after the other and reads what can be read behind each.
    private func read(_ pieces: [ArraySlice<UInt8>]) -> RequestCase.Outcome {
        var parser = RequestParser(limits: Self.limits)
        var requests: [String] = []
        for piece in pieces {
            piece.withUnsafeBytes { parser.append($0) }
            do throws(HTTPParseError) {
                while let request = try parser.nextRequest() {
                    requests.append(
                        "\(request.method.rawValue) \(request.path) \(String(decoding: request.body, as: UTF8.self))")
                }
            } catch {
                return .rejected(error.status.rawValue)
            }
        }
        return requests.isEmpty || parser.phase != .idle ? .incomplete : .requests(requests)
    }

    @Test(arguments: RequestCase.all) func `reads the same whole, byte by byte and split anywhere`(_ test: RequestCase)
    {
        let bytes = Array(test.bytes.utf8)
        #expect(read([bytes[...]]) == test.outcome, "whole")
        #expect(read(bytes.indices.map { bytes[$0...$0] }) == test.outcome, "byte by byte")
        for position in bytes.indices {
            #expect(read([bytes[..<position], bytes[position...]]) == test.outcome, "split at \(position)")
        }
    }

    @Test func `reports its phase`() throws {
        var parser = RequestParser(limits: Self.limits)
        func feed(_ text: String) throws -> HTTPRequest? {
            Array(text.utf8).withUnsafeBytes { parser.append($0) }
            return try parser.nextRequest()
        }
        #expect(parser.phase == .idle)
        for (text, isRequest, phase) in [
            ("\r\n", false, RequestParser.Phase.idle), ("\r", false, .idle), ("\nPOST /b HTTP/1.1\r\n", false, .head),
            ("Host: h\r\nContent-Length: 2\r\n\r\n", false, .body), ("{", false, .body), ("}GET", true, .head),
        ] {
            let request = try feed(text)
            #expect((request != nil) == isRequest, "\(text)")
            #expect(parser.phase == phase, "\(text)")
        }
    }

    @Test func `asks for 100 Continue once, and only while nothing of the body is here`() throws {
        let head = RequestCase.post("Content-Length: 2\r\nExpect: 100-Continue\r\n")
        for (text, asked) in [
            (head, true), (head + "{", false),
            (RequestCase.post("Content-Length: 0\r\nExpect: 100-continue\r\n"), false),
            (RequestCase.post("Content-Length: 2\r\n"), false),
            ("POST /b HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", false),
        ] {
            var parser = RequestParser(limits: Self.limits)
            Array(text.utf8).withUnsafeBytes { parser.append($0) }
            _ = try parser.next()
            let first = parser.takeContinueExpectation()
            #expect(first == asked, "\(text)")
            let again = parser.takeContinueExpectation()
            #expect(!again, "\(text)")
        }
    }

    @Test func `keeps the connection as version and Connection require`() throws {
        for (text, keepAlive) in [
            ("HTTP/1.1\r\nHost: h\r\n\r\n", true), ("HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false),
            ("HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n", false), ("HTTP/1.0\r\n\r\n", false),
            ("HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
            ("HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false),
        ] {
            var parser = RequestParser(limits: Self.limits)
            Array("GET /a \(text)".utf8).withUnsafeBytes { parser.append($0) }
            let request = try parser.nextRequest()
            #expect(request?.keepAlive == keepAlive, "\(text)")
        }
    }

    @Test func `reads a thousand pipelined requests from one buffer`() throws {
        var parser = RequestParser(limits: Self.limits)
        let bytes = Array(
            String(repeating: RequestCase.get() + RequestCase.post("Content-Length: 2\r\n", "{}"), count: 500).utf8)
        bytes.withUnsafeBytes { parser.append($0) }
        var count = 0
        while try parser.nextRequest() != nil { count += 1 }
        #expect(count == 1_000)
        #expect(parser.phase == .idle)
    }

    @Test(arguments: ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"])
    func `returns the header section before the body, and discards a body without keeping it`(_ rest: String) throws {
        let bytes = Array(("POST /b HTTP/1.1\r\nHost: h\r\n" + rest + RequestCase.get()).utf8)
        for size in [1, 7, bytes.count] {
            var parser = RequestParser(limits: Self.limits)
            var steps: [String] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                bytes[start..<min(bytes.count, start + size)].withUnsafeBytes { parser.append($0) }
                while let step = try parser.next() {
                    switch step {
                    case .head(let head):
                        steps.append("head \(head.path)")
                        parser.discardBody()
                    case .request(let request): steps.append("request \(request.path)")
                    }
                }
                if parser.phase == .discarding { #expect(parser.bufferedBytes < 8) }
            }
            #expect(steps == ["head /b", "request /a"], "pieces of \(size)")
            #expect(parser.phase == .idle)
        }
    }

    @Test func `survives twenty thousand damaged requests`() {
        var random = SplitMix64(state: 7)
        for _ in 0..<20_000 {
            var bytes = Array((RequestCase.all.randomElement(using: &random)?.bytes ?? "").utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let position = Int.random(in: 0...bytes.count, using: &random)
            _ = read([bytes[..<position], bytes[position...]])
        }
    }
}

/// The same sequence in every run.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

extension RequestParser {
    /// The next complete request, with its body.
    mutating func nextRequest() throws(HTTPParseError) -> HTTPRequest? {
        while let step = try next() {
            if case .request(let request) = step { return request }
        }
        return nil
    }
}
