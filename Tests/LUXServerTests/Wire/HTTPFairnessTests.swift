import Foundation
import Glibc
import LUXTestSupport
import Testing

/// No request waits for another one longer than it has to.
@Suite struct HTTPFairnessTests {
    private static let plain = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test func `the response to a pipelined request does not wait for the next one's`() async throws {
        try await onThread {
            let world = try World.own()
            let (user, child, device) = try world.family()
            try world.sql.script("begin; select * from devices where id = \(device.id) for update")
            let body = World.logArrays([World.record(child: child, device: device, date: "2025-02-21T15:48:49")])
            let client = try world.server.connect(timeout: 3)
            try client.send(
                Self.plain
                    + TestServer.request("POST", World.api + "devlog", token: Token.access(user: user), body: body))
            #expect(try client.receive().status == 200)
            #expect(throws: HTTPClient.Failure.timeout) { try client.receive() }
            try world.sql.script("rollback")
            expect(try client.receive(), json: Saved.temporary)
            world.server.stop()
        }
    }

    @Test func `clients that always have another request ready do not keep others from being served`() async throws {
        try await onThread {
            let server = try TestServer(
                World.sharedDatabase, environment: ["LUX_LOOPS": "1", "LUX_MAX_REQUESTS_PER_CONNECTION": "1000000"])
            let greedy = try (0..<3).map { _ in try server.connect() }
            let stopped = Flag()
            let batch = String(repeating: Self.plain, count: 400)
            for client in greedy {
                // One thread sends and one receives: the two sides of a connection share nothing here.
                nonisolated(unsafe) let client = client
                Thread.detachNewThread { while !stopped.isSet, (try? client.send(batch)) != nil {} }
                Thread.detachNewThread { while !stopped.isSet, (try? client.receive()) != nil {} }
            }
            usleep(300_000)
            var slowest = 0.0
            for _ in 0..<20 {
                let start = Date()
                #expect(try server.call("GET", "/healthz").status == 200)
                slowest = max(slowest, Date().timeIntervalSince(start))
            }
            stopped.set()
            #expect(slowest < 1)
            server.stop()
        }
    }

    @Test func `a rejection of HEAD has no content`() throws {
        let server = World.sharedServer
        for (fields, status) in [
            ("Content-Length: 9999999", 413), ("Transfer-Encoding: gzip", 501), ("Expect: more", 417),
        ] {
            let client = try server.connect()
            try client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n")
            let bytes = try client.receiveToEnd()
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 \(status) "))
            #expect(text.hasSuffix("\r\n\r\n"), "\(text)")
        }
    }
}
