import Foundation
import LUXTestSupport
import Testing

/// Clients that are too slow: cut, while everybody else is answered.
@Suite struct HTTPTimeoutTests {
    private static let server: TestServer = {
        do {
            return try TestServer(
                try TestDatabase.make(),
                environment: [
                    "LUX_HEADER_TIMEOUT": "0.6", "LUX_BODY_STALL_TIMEOUT": "0.6", "LUX_BODY_TIMEOUT": "1.5",
                    "LUX_IDLE_TIMEOUT": "0.8", "LUX_WRITE_TIMEOUT": "0.8",
                ])
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    private static let post = "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"

    /// First bytes, and the bytes then sent one at a time, every `pause` seconds.
    private static let slow: [(name: String, first: String, drip: String, pause: Double)] = [
        ("a header section that stops", "GET /healthz HTTP/1.1\r\nHost:", "", 0),
        ("a header section in drops", "G", "ET /healthz HTTP/1.1\r\nHost: h\r\n", 0.1),
        ("a body that stops", post + "{", "", 0), ("a body that never starts", post, "", 0),
        ("a body in drops", post, String(repeating: " ", count: 40), 0.1),
        (
            "chunks in drops", "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
            String(repeating: "1\r\n \r\n", count: 10), 0.1
        ),
    ]

    @Test(arguments: 0..<slow.count) func `answers a client past a time limit with 408 and closes`(_ number: Int)
        async throws
    {
        let (name, first, drip, pause) = Self.slow[number]
        try await onThread {
            let client = try Self.server.connect(timeout: 6)
            let start = Date()
            try client.send(first)
            for byte in drip.utf8 {
                Thread.sleep(forTimeInterval: pause)
                // The server may have closed already: what it said before that is what counts.
                do { try client.send([byte]) } catch { break }
                if Date().timeIntervalSince(start) > 4 { break }
            }
            let reply = try client.receive()
            #expect(reply.status == 408, "\(name) → \(reply.summary)")
            #expect(try client.isEnded(), "\(name)")
            #expect(Date().timeIntervalSince(start) < 5, "\(name)")
            #expect(try Self.server.call("GET", "/healthz").status == 200)
        }
    }

    @Test func `closes an idle connection without a word`() async throws {
        try await onThread {
            let fresh = try Self.server.connect(timeout: 5)
            let used = try Self.server.connect(timeout: 5)
            try used.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try used.receive().status == 200)
            let start = Date()
            #expect(try used.isEnded())
            #expect(try fresh.isEnded())
            #expect(Date().timeIntervalSince(start) > 0.3)
        }
    }

    @Test func `cuts a client that does not take its answers, and nobody else notices`() async throws {
        try await onThread {
            let server = Self.server
            let client = try server.connect(timeout: 5, receiveBuffer: 4096)
            let request = "GET /\(String(repeating: "x", count: 4000)) HTTP/1.1\r\nHost: h\r\n\r\n"
            var sent = 0
            let start = Date()
            // Without reading: the answers fill both socket buffers, then the requests do.
            do {
                while sent < 200_000, Date().timeIntervalSince(start) < 4 {
                    try client.send(request)
                    sent += 1
                    if sent % 500 == 0 { #expect(try server.call("GET", "/healthz").status == 200) }
                }
                Issue.record("the server took \(sent) requests without a limit")
            } catch {
                #expect(Date().timeIntervalSince(start) < 8)
            }
            #expect(try server.call("GET", "/healthz").status == 200)
        }
    }

    @Test func `does not cut a slow request that keeps within its limits`() async throws {
        try await onThread {
            let client = try Self.server.connect(timeout: 5)
            for part in ["GET /healthz", " HTTP/1.1\r\n", "Host: h\r\n\r\n"] {
                Thread.sleep(forTimeInterval: 0.1)
                try client.send(part)
            }
            #expect(try client.receive().status == 200)
            try client.send("POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n")
            for byte in "    ".utf8 {
                Thread.sleep(forTimeInterval: 0.25)
                try client.send([byte])
            }
            #expect(try client.receive().status == 401)
        }
    }
}
