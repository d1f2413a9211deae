import Foundation
import LUXTestSupport
import Testing

/// What the header section decides is responded to without waiting for the body, whose rest is discarded.
@Suite struct EarlyResponseTests {
    let server = World.sharedServer

    private static func head(
        _ fields: String = "", target: String = World.api + "devlog", method: String = "POST", length: Int = 1_000_000
    ) -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\(fields)\r\n"
    }

    private static let expect = "Expect: 100-continue\r\n"

    private static let cases: [(name: String, head: String, status: Int)] = [
        ("no token", head(), 401), ("a bad token", head("Authorization: Bearer x.y.z\r\n"), 401),
        ("an unknown path", head(target: "/nothing"), 404), ("another method", head(method: "PUT"), 405),
        ("too large a body", head(length: 2_000_000), 413),
        ("a content coding", head("Content-Encoding: gzip\r\n"), 415),
        ("no token, waiting for 100 Continue", head(expect), 401),
        ("an unknown path, waiting for 100 Continue", head(expect, target: "/nothing"), 404),
        (
            "no token, chunked",
            "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 401
        ),
    ]

    @Test func `responds before any byte of the body has come`() throws {
        for (name, head, status) in Self.cases {
            let client = try server.connect(timeout: 5)
            try client.send(head)
            let reply = try client.receive()
            #expect(reply.status == status, "\(name) → \(reply.summary)")
            #expect(reply.header("Accept-Encoding") == (status == 415 ? "identity" : nil), "\(name)")
        }
    }

    @Test func `a client that reads only after writing its whole body still gets the response`() async throws {
        try await onThread {
            for (name, head, status) in Self.cases where !head.contains("chunked") {
                let client = try self.server.connect(timeout: 5)
                try client.send(head)
                let piece = [UInt8](repeating: 0x20, count: 100_000)
                for _ in 0..<(head.contains("2000000") ? 20 : 10) {
                    try client.send(piece)
                    usleep(30_000)
                }
                let reply = try client.receive()
                #expect(reply.status == status, "\(name) → \(reply.summary)")
            }
        }
    }

    @Test func `the connection serves the next request after a discarded body`() throws {
        let client = try server.connect(timeout: 5)
        try client.send(Self.head(length: 5) + "hello" + TestServer.request("GET", "/healthz"))
        #expect(try client.receive().status == 401)
        #expect(try client.receive().status == 200)
    }

    @Test func `a body that is rejected uses no memory`() async throws {
        try await onThread {
            let environment = ["LUX_MAX_BUFFERED_BYTES": "1048576", "LUX_LOOPS": "1"]
            let world = try World.own(environment: environment)
            let (user, _, _) = try world.family()
            let strangers = try (0..<20).map { _ in
                let client = try world.server.connect(timeout: 5)
                try client.send(Self.head())
                try client.send([UInt8](repeating: 0x20, count: 900_000))
                return client
            }
            let body = #"{"x":"\#(String(repeating: "a", count: 900_000))"}"#
            expectInvalid(try world.call("POST", "devlog", as: user, body: body), at: "log_arrays")
            for client in strangers { #expect(try client.receive().status == 401) }
            world.server.stop()
        }
    }

    @Test func `an account over its share of memory is rejected alone`() async throws {
        try await onThread {
            let environment = ["LUX_MAX_BUFFERED_BYTES": "12582912", "LUX_LOOPS": "1"]
            let world = try World.own(environment: environment)
            let (greedy, other) = (try world.user(), try world.user())
            let authorization = "Authorization: Bearer \(Token.access(user: greedy))\r\n"
            let clients = try (0..<6).map { _ in
                let client = try world.server.connect(timeout: 5)
                try client.send(Self.head(authorization))
                // The server may have rejected it already.
                do { try client.send([UInt8](repeating: 0x20, count: 900_000)) } catch {}
                usleep(20_000)
                return client
            }
            let body = #"{"x":"\#(String(repeating: "a", count: 900_000))"}"#
            expectInvalid(try world.call("POST", "devlog", as: other, body: body), at: "log_arrays")
            #expect(try clients.last?.receive().status == 503)
            world.server.stop()
        }
    }
}
