import Foundation
import Glibc
import LUXTestSupport
import Testing

/// The limits: requests beyond them are rejected with a response, and served again when there is room.
@Suite struct HTTPLimitTests {
    private static let plain = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"

    private func server(_ environment: [String: String]) throws -> TestServer {
        try TestServer(World.sharedDatabase, environment: environment)
    }

    /// Whether a new connection is served; a rejection must be a 503 with Retry-After, or a close.
    private func isServed(_ server: TestServer) throws -> Bool {
        let client = try server.connect(timeout: 5)
        do {
            try client.send(Self.plain)
            let reply = try client.receive()
            if reply.status == 200 { return true }
            #expect(reply.status == 503)
            #expect(reply.header("Retry-After") != nil)
            #expect(reply.json?["detail"]?.string == "Service temporarily unavailable")
        } catch HTTPClient.Failure.closed, HTTPClient.Failure.truncated, HTTPClient.Failure.socket(EPIPE) {
            // A close is a rejection, too.
        }
        return false
    }

    @Test(arguments: ["LUX_MAX_CONNECTIONS", "LUX_MAX_CONNECTIONS_PER_CLIENT"])
    func `connections over the limit are rejected until there is room again`(_ variable: String) async throws {
        try await onThread {
            let server = try server([variable: "20", "LUX_METRICS_PORT": "0"])
            let port = server.logLines { $0["message"]?.string == "metrics" }.first?["port"]?.integer
            let metricsPort = try #require(port.flatMap { UInt16(exactly: $0) })
            var clients: [HTTPClient] = []
            for _ in 0..<20 {
                let client = try server.connect()
                try client.send(Self.plain)
                #expect(try client.receive().status == 200)
                clients.append(client)
            }
            for _ in 0..<50 { #expect(try !isServed(server)) }
            let scrape = try HTTPClient(port: metricsPort)
            try scrape.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
            let metrics = try scrape.receive()
            #expect(metrics.status == 200, "the metrics have connections of their own")
            #expect(metrics.text.contains("\nlux_http_connections_refused_total 50\n"))
            #expect(!metrics.text.contains(/status="503"} [1-9]/), "a connection is no request")
            for client in clients {
                try client.send(Self.plain)
                #expect(try client.receive().status == 200, "those inside notice nothing")
            }
            clients.removeLast(5)
            var served = false
            for _ in 0..<50 where !served {
                served = try isServed(server)
                if !served { usleep(20_000) }
            }
            #expect(served)
            let lines = server.logLines { $0["message"]?.string == "connections rejected" }
            #expect(lines.count == 1, "a flood is one line")
            server.stop()
            #expect(!server.process.output.contains("\"status\":503"))
        }
    }

    @Test func `the last request that a connection may make closes it`() throws {
        let server = try server(["LUX_MAX_REQUESTS_PER_CONNECTION": "3"])
        let client = try server.connect()
        try client.send(String(repeating: Self.plain, count: 5))
        for number in 1...3 {
            let reply = try client.receive()
            #expect(reply.status == 200)
            #expect(reply.header("Connection") == (number == 3 ? "close" : nil))
        }
        #expect(try client.isEnded())
        server.stop()
    }

    @Test func `requests over the limit get 503 and keep their connection`() async throws {
        try await onThread {
            let world = try World.own(environment: ["LUX_MAX_REQUESTS_IN_FLIGHT": "1", "LUX_LOOPS": "1"])
            let (user, child, device) = try world.family()
            let token = Token.access(user: user)
            // The request in flight waits for a row that this session has locked.
            try world.sql.script("begin")
            try world.sql.query("select * from devices where id = $1 for update", [String(device.id)])
            let slow = try world.server.connect()
            try slow.send(
                TestServer.request(
                    "PATCH", World.api + "un-connect?unique_id=\(device.unique)&real_user_id=\(child)", token: token))
            usleep(200_000)
            let other = try world.server.connect()
            for _ in 0..<3 {
                try other.send(TestServer.request("GET", World.api + "get-all-device", token: token))
                let reply = try other.receive()
                #expect(reply.status == 503)
                #expect(reply.header("Retry-After") != nil && reply.header("Connection") == nil)
                for probe in ["/healthz", "/readyz", "/metrics"] {
                    try other.send(TestServer.request("GET", probe))
                    #expect(try other.receive().status == 200, "\(probe) is never rejected because of load")
                }
            }
            try world.sql.script("rollback")
            #expect(try slow.receive().status == 200)
            try other.send(Self.plain)
            #expect(try other.receive().status == 200)
            world.server.stop()
        }
    }

    @Test func `unfinished bodies over the limit of memory are rejected, and the memory is free again`() async throws {
        try await onThread {
            let server = try server([
                "LUX_MAX_BUFFERED_BYTES": "1048576", "LUX_LOOPS": "1", "LUX_MAX_BODY_BYTES": "1048576",
            ])
            let half = [UInt8](repeating: 0x20, count: 600_000)
            func start() throws -> HTTPClient {
                let client = try server.connect(timeout: 5)
                let fields = "Host: h\r\nAuthorization: Bearer \(Token.access(user: 1))\r\nContent-Length: 1000000\r\n"
                try client.send("POST \(World.api)devlog HTTP/1.1\r\n\(fields)\r\n")
                try client.send(half)
                return client
            }
            do {
                let first = try start()
                usleep(200_000)
                let second = try start()
                #expect(try second.receive().status == 503)
                #expect(try server.call("GET", "/healthz").status == 200)
                _ = first
            }
            usleep(200_000)
            let third = try start()
            try third.send([UInt8](repeating: 0x20, count: 400_000))
            #expect(try third.receive().status == 422, "it was read whole")
            server.stop()
        }
    }

    @Test(.enabled(if: !Sanitizer.isOn, "a sanitizer has an allocator of its own"))
    func `memory of a thousand busy connections is returned to the system once they are closed`() async throws {
        try await onThread {
            raiseDescriptorLimit()
            let server = try server(["LUX_LOOPS": "1", "LUX_MAX_CONNECTIONS_PER_CLIENT": "2000"])
            let pid = server.process.pid
            let target = TestServer.request("GET", "/openapi.json")
            /// - Returns: the memory while all of its connections are open.
            func burst() throws -> Int {
                let clients = try (0..<1_000).map { _ in try server.connect() }
                for _ in 0..<3 {
                    for client in clients { try client.send(target) }
                    for client in clients { #expect(try client.receive().status == 200) }
                }
                return withExtendedLifetime(clients) { ProcessUsage(of: pid).memory }
            }
            let before = try burst()
            let deadline = Date(timeIntervalSinceNow: 30)
            while ProcessUsage(of: pid).memory > before - 4_096, Date() < deadline { usleep(100_000) }
            let after = ProcessUsage(of: pid).memory
            #expect(after <= before - 4_096, "KiB: \(before) → \(after)")
            server.stop()
        }
    }

    @Test func `a user over the rate limit gets 429, another one does not`() async throws {
        try await onThread {
            let world = try World.own(environment: ["LUX_RATE_LIMIT": "2", "LUX_RATE_LIMIT_BURST": "3"])
            let (one, other) = (try world.user(), try world.user())
            func status(_ user: Int64) throws -> HTTPReply {
                try world.server.call("GET", World.api + "get-all-device", token: Token.access(user: user))
            }
            for _ in 0..<3 { #expect(try status(one).status == 200) }
            let reply = try status(one)
            #expect(reply.status == 429)
            #expect(reply.header("Retry-After") == "1")
            #expect(reply.json?["detail"]?.string == "Too many requests")
            #expect(try status(other).status == 200)
            #expect(try world.server.call("GET", "/healthz").status == 200)
            usleep(1_100_000)
            #expect(try status(one).status == 200)
            world.server.stop()
        }
    }

    @Test func `without descriptors the server neither spins nor fails, and goes on when it has some`() async throws {
        try await onThread {
            // With its one database connection open, the server opens no descriptor by itself.
            let server = try server(["LUX_DB_POOL": "1"])
            #expect(server.waits(for: 200, at: "/readyz"))
            let inside = try server.connect()
            try inside.send(Self.plain)
            #expect(try inside.receive().status == 200)
            let held = ProcessUsage(of: server.process.pid).descriptors
            let limit = try ChildProcess(
                "/usr/bin/prlimit", ["--pid", String(server.process.pid), "--nofile=\(held + 5):\(held + 5)"])
            #expect(limit.wait() == .exit(0))
            var clients: [HTTPClient] = []
            for _ in 0..<30 { clients.append(try server.connect(timeout: 5)) }
            usleep(200_000)
            let before = ProcessUsage(of: server.process.pid).processorTime
            usleep(1_000_000)
            #expect(ProcessUsage(of: server.process.pid).processorTime - before < 0.3)
            try inside.send(Self.plain)
            #expect(try inside.receive().status == 200, "who is inside is served")
            clients = []
            #expect(server.waits(for: 200, at: "/healthz"))
            #expect(server.logLines { $0["message"]?.string == "cannot accept connections for the moment" }.count == 1)
            server.stop()
        }
    }
}
