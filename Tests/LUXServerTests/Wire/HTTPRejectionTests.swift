import LUXTestSupport
import Testing

/// HTTP/1.1 on the wire: what is rejected, with the connection closed after it.
@Suite struct HTTPRejectionTests {
    let server = World.sharedServer

    private static func get(_ fields: String, target: String = "/healthz") -> String {
        "GET \(target) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n"
    }

    private static func post(_ fields: String, _ body: String = "") -> String {
        "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(token)\r\n\(fields)\r\n\(body)"
    }

    private static let token = Token.access(user: 1)

    private static let malformed: [String] = [
        "\u{0}\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1 x\r\nHost: h\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: h\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n",
        "GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nA: b\nc: d\r\n\r\n",
        "GET / http/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/11\r\nHost: h\r\n\r\n", "GET / XTTP/1.1\r\nHost: h\r\n\r\n",
        "GET healthz HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /\u{7f} HTTP/1.1\r\nHost: h\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /é HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        get("Name : x\r\n"), get("Na me: x\r\n"), get(": x\r\n"), get("Name\r\n"), get(" folded: x\r\n"),
        get("A: b\r\n c\r\n"), get("A: b\r\n\tc\r\n"), get("A: \u{0}\r\n"), get("A: \u{1}\r\n"), get("A\u{0}: b\r\n"),
        post("Content-Length: 1\r\nContent-Length: 2\r\n", "{}"), post("Content-Length: -1\r\n"),
        post("Content-Length: +2\r\n", "{}"), post("Content-Length: 0x2\r\n", "{}"), post("Content-Length: \r\n", "{}"),
        post("Content-Length: 2 2\r\n", "{}"), post("Content-Length: 1, 2\r\n", "{}"),
        post("Content-Length: 2.0\r\n", "{}"),
        post("Content-Length: 99999999999999999999x\r\n"),
        post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post("Transfer-Encoding: chunked\r\n", "x\r\n"), post("Transfer-Encoding: chunked\r\n", "\r\n"),
        post("Transfer-Encoding: chunked\r\n", "-1\r\n"), post("Transfer-Encoding: chunked\r\n", "0x2\r\n{}\r\n"),
        post("Transfer-Encoding: chunked\r\n", "2\r\n{}x\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\n", "2\n{}\n0\n\n"),
        post("Transfer-Encoding: chunked\r\n", "0\r\nbad trailer\r\n\r\n"),
        post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
    ]

    private static let limits: [(status: Int, bytes: String)] = [
        (414, get("", target: "/" + String(repeating: "a", count: 8300))),
        (414, "GET /" + String(repeating: "a", count: 8300)),
        (431, get("A: " + String(repeating: "b", count: 17000) + "\r\n")),
        (431, get((0..<101).map { "A\($0): b\r\n" }.joined())),
        (431, get("A: " + String(repeating: "b", count: 17000))),
        (413, post("Content-Length: 1048577\r\n")), (413, post("Content-Length: 99999999999999999999\r\n")),
        (413, post("Transfer-Encoding: chunked\r\n", "100001\r\n")), (501, post("Transfer-Encoding: gzip\r\n")),
        (501, post("Transfer-Encoding: gzip, chunked\r\n")), (505, "GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
        (505, "GET / HTTP/3.0\r\nHost: h\r\n\r\n"),
    ]

    @Test func `rejects malformed requests with 400 and closes`() throws {
        for bytes in Self.malformed { try expectRejection(of: bytes, status: 400) }
    }

    @Test func `rejects requests over a limit or not supported with their status and closes`() throws {
        for (status, bytes) in Self.limits { try expectRejection(of: bytes, status: status) }
    }

    private func expectRejection(of bytes: String, status: Int) throws {
        let context = String(bytes.debugDescription.prefix(140))
        let client = try server.connect(timeout: 5)
        do {
            try client.send(bytes)
            let reply = try client.receive()
            #expect(reply.status == status, "\(context) → \(reply.summary)")
            #expect(reply.detail.map { !$0.isEmpty } ?? false, "\(context) → \(reply.summary)")
            #expect(reply.header("Content-Type") == "application/json", "\(context)")
            #expect(reply.header("Connection")?.lowercased() == "close", "\(context)")
            #expect(try client.isEnded(), "\(context)")
        } catch {
            Issue.record("\(context) → \(error), not \(status)")
        }
    }

    @Test func `accepts requests just within the limits`() throws {
        let target = "/healthz?" + String(repeating: "a", count: 8192 - 9)
        let client = try server.connect()
        let cases = [
            Self.get("", target: target), Self.get((0..<99).map { "A\($0): b\r\n" }.joined()),
            Self.get("A: " + String(repeating: "b", count: 16000) + "\r\n"),
            Self.get("A:b\r\nB:  c  \r\nC:\r\nD: é\r\n"),
        ]
        for bytes in cases {
            try client.send(bytes)
            let reply = try client.receive()
            #expect(reply.status == 200, "\(bytes.prefix(40)) → \(reply.summary)")
        }
        let world = try World()
        let user = try world.user()
        let body = #"{"x":"\#(String(repeating: "a", count: 1_048_576 - 8))"}"#
        #expect(body.utf8.count == 1_048_576)
        expectInvalid(try world.call("POST", "devlog", as: user, body: body), at: "log_arrays")
    }

    @Test func `responds to the requests before a malformed one, then rejects that one`() throws {
        let client = try server.connect(timeout: 5)
        try client.send(Self.get("") + Self.get("") + Self.get("Na me: x\r\n") + Self.get(""))
        #expect(try client.receive().status == 200)
        #expect(try client.receive().status == 200)
        #expect(try client.receive().status == 400)
        #expect(try client.isEnded(), "no request after the malformed one gets a response")
    }

    @Test func `survives two thousand connections of garbage`() throws {
        let server = server
        let alive = server.process.pid
        _ = try simultaneously(4) { thread in
            var random = SeededRandom(seed: UInt64(1_000 + thread))
            let seeds =
                Self.malformed + Self.limits.map(\.bytes) + [Self.get(""), Self.post("Content-Length: 2\r\n", "{}")]
            for _ in 0..<500 {
                let client = try server.connect(timeout: 0.2)
                var bytes = Array((seeds.randomElement(using: &random) ?? "").utf8)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    bytes = (0..<Int.random(in: 0..<600, using: &random)).map { _ in
                        UInt8.random(in: 0...255, using: &random)
                    }
                case 1: bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
                default:
                    for _ in 0..<Int.random(in: 1..<8, using: &random) where !bytes.isEmpty {
                        let place = Int.random(in: 0..<bytes.count, using: &random)
                        bytes[place] = UInt8.random(in: 0...255, using: &random)
                    }
                }
                try? client.send(bytes)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: client.abort()
                case 1:
                    client.closeWrite()
                    _ = try? client.receiveToEnd()
                default: break
                }
            }
        }
        #expect(server.process.isRunning && server.process.pid == alive)
        #expect(try server.call("GET", "/healthz").status == 200)
    }
}

/// splitmix64: the same bytes in every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
