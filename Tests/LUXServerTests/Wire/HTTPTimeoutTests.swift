import Foundation
import LUXTestSupport
import Testing

/// Clients that are too slow: disconnected, while all others are served.
@Suite struct HTTPTimeoutTests {
    private static let started: (database: TestDatabase, server: TestServer) = {
        do {
            let database = try TestDatabase.make()
            let server = try TestServer(
                database,
                environment: [
                    "LUX_HEADER_TIMEOUT": "0.6", "LUX_BODY_STALL_TIMEOUT": "0.6", "LUX_BODY_TIMEOUT": "1.5",
                    "LUX_IDLE_TIMEOUT": "0.8", "LUX_WRITE_TIMEOUT": "0.8",
                ])
            return (database, server)
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    private static var server: TestServer { started.server }

    private static let authorization = "Authorization: Bearer \(Token.access(user: 1))\r\n"
    private static let post =
        "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\n\(authorization)Content-Length: 1000\r\n\r\n"

    /// First bytes, and the bytes then sent one at a time, every `pause` seconds.
    private static let slow: [(name: String, first: String, drip: String, pause: Double)] = [
        ("a header section that stops", "GET /healthz HTTP/1.1\r\nHost:", "", 0),
        ("a header section in drops", "G", "ET /healthz HTTP/1.1\r\nHost: h\r\n", 0.1),
        ("a body that stops", post + "{", "", 0), ("a body that never starts", post, "", 0),
        ("a body in drops", post, String(repeating: " ", count: 40), 0.1),
        (
            "chunks in drops",
            "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\n\(authorization)Transfer-Encoding: chunked\r\n\r\n",
            String(repeating: "1\r\n \r\n", count: 10), 0.1
        ),
    ]

    @Test(arguments: 0..<slow.count) func `rejects a client past a time limit with 408 and closes`(_ number: Int)
        async throws
    {
        let (name, first, drip, pause) = Self.slow[number]
        try await onThread {
            let client = try Self.server.connect(timeout: 6)
            let start = Date()
            try client.send(first)
            for byte in drip.utf8 {
                Thread.sleep(forTimeInterval: pause)
                // The server may have closed already: its response before that counts.
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

    @Test func `logs a 408 with the time that the client took`() async throws {
        try await onThread {
            let client = try Self.server.connect(timeout: 6)
            try client.send("GET /healthz HTTP/1.1\r\nHost:")
            let reply = try client.receive()
            #expect(reply.status == 408)
            let line = try #require(Self.server.logLines(request: reply.requestID ?? "?").first)
            guard case .number(let text)? = line["duration_ms"], let milliseconds = Double(text) else {
                Issue.record("no duration in \(line)")
                return
            }
            #expect(milliseconds >= 500, "\(milliseconds) ms of a header section that has 600 ms")
        }
    }

    @Test func `names the idle time to clients that name keep-alive`() throws {
        let client = try World.sharedServer.connect()
        for (field, connection, hint) in [
            ("", nil, nil), ("Connection: keep-alive\r\n", "keep-alive", "timeout=60"),
            ("Connection: Keep-Alive\r\n", "keep-alive", "timeout=60"), ("Connection: close\r\n", "close", nil),
        ] as [(String, String?, String?)] {
            try client.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\(field)\r\n")
            let reply = try client.receive()
            #expect(reply.header("Connection") == connection && reply.header("Keep-Alive") == hint, "\(field)")
        }
    }

    @Test func `unfinished bodies of one address fill its own share of memory alone`() async throws {
        try await onThread {
            let world = try World.own(environment: [
                "LUX_MAX_BUFFERED_BYTES": "8388608", "LUX_LOOPS": "1", "LUX_TRUSTED_PROXIES": "127.0.0.1",
            ])
            let (user, child, device) = try world.family()
            func upload(_ account: Int64, _ address: String, _ body: String, length: Int? = nil) throws -> HTTPClient {
                let client = try world.server.connect(timeout: 10)
                try client.send(
                    "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(Token.access(user: account))\r\n"
                        + "X-Forwarded-For: \(address)\r\nContent-Length: \(length ?? body.utf8.count)\r\n\r\n" + body)
                return client
            }
            // The share of an address is a quarter, 2 MiB. The accounts differ, so theirs are not exceeded.
            let body = String(repeating: " ", count: 900_000)
            let held = try (0..<2).map { try upload(1_000_000 + Int64($0), "192.0.2.1", body, length: 1_000_000) }
            // Read by the server once a later request on its only loop has been served.
            for _ in 0..<20 {
                usleep(20_000)
                #expect(try world.server.call("GET", "/healthz").status == 200)
            }
            for number in Int64(2)..<5 {
                let reply = try upload(1_000_000 + number, "192.0.2.1", body, length: 1_000_000).receive()
                #expect(reply.status == 503 && reply.header("Retry-After") != nil, "\(number): \(reply.summary)")
            }
            let record = World.record(child: child, device: device, date: "2025-02-21T15:48:49")
            let large = String(repeating: " ", count: 500_000) + World.logArrays([record])
            expect(try upload(user, "192.0.2.2", large).receive(), json: Saved.temporary, "another address")
            expect(
                try upload(user, "192.0.2.1", large).receive(), 503, "Service temporarily unavailable",
                "the same address")
            withExtendedLifetime(held) {}
            world.server.stop()
        }
    }

    @Test func `closes an idle connection without a response`() async throws {
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

    @Test func `disconnects a client that does not read its responses, and no other client notices`() async throws {
        try await onThread {
            let (database, server) = Self.started
            let world = try World(database, server)
            let (user, child, _) = try world.family()
            try world.sql.query(
                """
                insert into devices (real_user_id, unique_id, device_alias, connected_at)
                select $1::bigint, 'wide-' || n, repeat('x', 100), now() from generate_series(1, 500) n
                """, [String(child)])
            let request = TestServer.request("GET", World.api + "get-all-device", token: Token.access(user: user))
            let size = try server.call("GET", World.api + "get-all-device", token: Token.access(user: user)).body.count
            #expect(size > 100_000)

            let client = try server.connect(timeout: 5, receiveBuffer: 4096)
            let start = Date()
            // Some 40 MB of responses, none of which is read.
            do {
                for number in 0..<200 {
                    try client.send(request)
                    if number % 50 == 0 { #expect(try server.call("GET", "/healthz").status == 200) }
                }
            } catch { #expect(error as? HTTPClient.Failure != .timeout) }
            while Date().timeIntervalSince(start) < 3 {
                Thread.sleep(forTimeInterval: 0.1)
                #expect(try server.call("GET", "/healthz").status == 200)
            }
            var taken = 0
            while let reply = try? client.receive(), reply.status == 200 { taken += 1 }
            #expect(taken < 190, "the server kept \(taken) responses for a client that read none")
        }
    }

    private static let pipelined = 12

    @Test func `clients that read no responses are disconnected beyond their address's share of memory`() async throws {
        try await onThread {
            let world = try World.own(environment: ["LUX_MAX_BUFFERED_BYTES": "1048576", "LUX_LOOPS": "1"])
            let (user, child, _) = try world.family()
            try world.sql.query(
                """
                insert into devices (real_user_id, unique_id, device_alias, connected_at)
                select $1::bigint, 'wide-' || n, repeat('x', 100), now() from generate_series(1, 2000) n
                """, [String(child)])
            let request = TestServer.request("GET", World.api + "get-all-device", token: Token.access(user: user))
            let clients = try (0..<12).map { _ in
                let client = try world.server.connect(timeout: 20, receiveBuffer: 4096)
                // More than the kernel keeps for the connection.
                try client.send(String(repeating: request, count: Self.pipelined))
                return client
            }
            usleep(500_000)
            #expect(try world.server.call("GET", "/healthz").status == 200)
            // Without a bound each of them would still get all its responses.
            var whole = 0
            for client in clients {
                if (0..<Self.pipelined).allSatisfy({ _ in (try? client.receive()) != nil }) { whole += 1 }
            }
            #expect(whole < clients.count, "all \(whole) responses were kept")
            #expect(
                try world.server.call("GET", World.api + "get-all-device", token: Token.access(user: user)).status
                    == 200)
            world.server.stop()
        }
    }

    @Test func `does not disconnect a slow request that keeps within its limits`() async throws {
        try await onThread {
            let client = try Self.server.connect(timeout: 5)
            for part in ["GET /healthz", " HTTP/1.1\r\n", "Host: h\r\n\r\n"] {
                Thread.sleep(forTimeInterval: 0.1)
                try client.send(part)
            }
            #expect(try client.receive().status == 200)
            try client.send(
                "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\n\(Self.authorization)Content-Length: 4\r\n\r\n")
            for byte in "    ".utf8 {
                Thread.sleep(forTimeInterval: 0.25)
                try client.send([byte])
            }
            #expect(try client.receive().status == 422)
        }
    }
}
