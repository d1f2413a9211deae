import COpenSSL
import Foundation
import Glibc
import LUXTestSupport
import Testing

/// SIGTERM and SIGINT: nothing new is accepted, what is in flight is finished.
@Suite struct ShutdownTests {
    @Test(arguments: [SIGTERM, SIGINT]) func `finishes the request in flight and exits with 0`(signal: Int32)
        async throws
    {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database)
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            try world.sql.script("begin; select * from devices where id = \(device.id) for update")
            let idle = try server.connect()
            try idle.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try idle.receive().status == 200)
            let client = try server.connect()
            let body = World.logArrays([World.record(child: child, device: device, date: "2025-02-21T15:48:49")])
            try client.send(
                TestServer.request("POST", World.api + "devlog", token: Token.access(user: user), body: body))
            // Until the upload is in flight, the signal would come before the request.
            var isInFlight = false
            for _ in 0..<200 where !isInFlight {
                usleep(10_000)
                isInFlight = try server.call("GET", "/metrics").text.contains("\nlux_http_requests_in_flight 1")
            }
            #expect(isInFlight)
            server.process.signal(signal)
            #expect(try idle.isEnded(), "an idle connection is closed immediately")
            usleep(200_000)
            #expect(throws: HTTPClient.Failure.self) { try server.call("GET", "/healthz") }
            #expect(server.process.isRunning)
            try world.sql.script("rollback")
            let reply = try client.receive()
            expect(reply, json: Saved.temporary)
            #expect(reply.header("Connection")?.lowercased() == "close")
            #expect(try client.isEnded())
            #expect(server.process.wait(seconds: 10) == .exit(0), "\(server.process.errors)")
            #expect(try world.logs(of: device).count == 1)
            let last = server.process.outputLines.last.flatMap { JSONValue($0) }
            #expect(last?["message"]?.string == "stopped" && last?["clean"] == .bool(true), "\(last ?? .null)")
        }
    }

    @Test func `unfinished requests delay the exit by no more than two seconds, on all ports together`() async throws {
        try await onThread {
            let server = try TestServer(try TestDatabase.make(), environment: ["LUX_METRICS_PORT": "0"])
            let port = server.logLines { $0["message"]?.string == "metrics" }.first?["port"]?.integer
            let clients = try [server.port, UInt16(try #require(port))].flatMap { port in
                try [
                    "", "GET /heal", TestServer.request("GET", "/x"),
                    "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(Token.access(user: 1))"
                        + "\r\nContent-Length: 10\r\n\r\n{",
                ].map { bytes in
                    let client = try HTTPClient(port: port)
                    try client.send(bytes)
                    return client
                }
            }
            #expect(try server.call("GET", "/healthz").status == 200)
            let start = Date()
            server.process.signal(SIGTERM)
            #expect(server.process.wait(seconds: 30) == .exit(0))
            let seconds = Date().timeIntervalSince(start)
            #expect((1.5..<4.5).contains(seconds), "\(seconds)")
            _ = clients
        }
    }

    @Test func `connections that were opened before the signal still send one request`() async throws {
        try await onThread {
            let server = try TestServer(try TestDatabase.make())
            let waiting = try (0..<20).map { _ in try server.connect() }
            let used = try server.connect()
            try used.send(TestServer.request("GET", "/healthz"))
            #expect(try used.receive().status == 200)
            server.process.signal(SIGTERM)
            #expect(try used.isEnded(), "an idle connection that has had a response is closed")
            for client in waiting {
                try client.send(TestServer.request("GET", "/healthz"))
                let reply = try client.receive()
                #expect(reply.status == 200 && reply.header("Connection") == "close")
            }
            let start = Date()
            #expect(server.process.wait(seconds: 10) == .exit(0))
            #expect(Date().timeIntervalSince(start) < 1.5, "nothing is left to wait for")
        }
    }

    @Test func `a connection before or in its TLS handshake at the signal still sends one request`() async throws {
        try await onThread {
            let certificate = try TestCertificate()
            let server = try TestServer(try TestDatabase.make(), environment: certificate.environment)
            let clients = try (0..<10).map { _ in try server.connect() }
            // All of them are accepted once a later one has been served.
            let other = try HTTPClient(port: server.port, offer: TLSClient.Offer())
            try other.send(TestServer.request("GET", "/healthz"))
            #expect(try other.receive().status == 200)
            server.process.signal(SIGTERM)
            #expect(try other.isEnded(), "the server drains")
            for client in clients {
                try client.startTLS()
                try client.send(TestServer.request("GET", "/healthz"))
                let reply = try client.receive()
                #expect(reply.status == 200 && reply.header("Connection") == "close")
            }
            #expect(server.process.wait(seconds: 10) == .exit(0), "\(server.process.errors)")
        }
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a client in the middle of its TLS handshake at the signal finishes it and gets its response`(
        _ version: Int32
    ) async throws {
        try await onThread {
            let certificate = try TestCertificate()
            let server = try TestServer(try TestDatabase.make(), environment: certificate.environment)
            let client = try server.connect()
            let other = try HTTPClient(port: server.port, offer: TLSClient.Offer())
            try other.send(TestServer.request("GET", "/healthz"))
            #expect(try other.receive().status == 200)
            var offer = TLSClient.Offer()
            offer.versions = version...version
            var isHalfway = false
            try client.startTLS(offer) {
                server.process.signal(SIGTERM)
                let isDraining = try other.isEnded()
                #expect(isDraining && server.process.isRunning)
                isHalfway = true
            }
            #expect(isHalfway)
            try client.send(TestServer.request("GET", "/healthz"))
            let reply = try client.receive()
            #expect(reply.status == 200 && reply.header("Connection") == "close")
            #expect(server.process.wait(seconds: 10) == .exit(0), "\(server.process.errors)")
            let last = server.process.outputLines.last.flatMap { JSONValue($0) }
            #expect(last?["message"]?.string == "stopped" && last?["clean"] == .bool(true), "\(last ?? .null)")
        }
    }

    @Test func `serves as before during the shutdown delay, but is not ready`() async throws {
        try await onThread {
            let server = try TestServer(try TestDatabase.make(), environment: ["LUX_SHUTDOWN_DELAY": "2"])
            #expect(try server.call("GET", "/readyz").status == 200)
            let start = Date()
            server.process.signal(SIGTERM)
            while try server.call("GET", "/readyz").status != 503, Date().timeIntervalSince(start) < 1.5 {
                usleep(10_000)
            }
            #expect(try server.call("GET", "/readyz").status == 503)
            #expect(try server.call("GET", "/healthz").status == 200)
            #expect(server.process.wait(seconds: 10) == .exit(0))
            #expect(Date().timeIntervalSince(start) >= 2)
        }
    }

    /// What it waited for at the signal arrives meanwhile: a server that stops does not become ready.
    @Test func `does not become ready during the shutdown delay`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let session = try database.session()
            // The advisory lock of migrations.
            try session.script("select pg_advisory_lock(119204650084711)")
            let server = try TestServer(
                database, environment: ["LUX_SHUTDOWN_DELAY": "4"], arguments: ["--migrate"])
            server.process.signal(SIGTERM)
            #expect(server.waits(for: 503, at: "/readyz"))
            try session.script("select pg_advisory_unlock_all()")
            let migrations = "select count(*) from schema_migrations"
            var statuses: Set<Int> = []
            let start = Date()
            while Date().timeIntervalSince(start) < 3 {
                statuses.insert(try server.call("GET", "/readyz").status)
                usleep(20_000)
            }
            #expect(try session.integer(migrations) > 0)
            #expect(statuses == [503])
            #expect(server.process.wait(seconds: 10) == .exit(0))
        }
    }

    @Test func `a second signal ends the process immediately`() async throws {
        try await onThread {
            let server = try TestServer(try TestDatabase.make(), environment: ["LUX_SHUTDOWN_DELAY": "60"])
            server.process.signal(SIGTERM)
            try #require(server.waitForLogLines(count: 1) { $0["message"]?.string == "stopping" }.count == 1)
            server.process.signal(SIGINT)
            #expect(server.process.wait(seconds: Sanitizer.seconds(5)) == .exit(128 + SIGINT))
        }
    }

    @Test func `SIGHUP without a certificate to read again changes nothing`() async throws {
        try await onThread {
            let server = try TestServer(try TestDatabase.make())
            server.process.signal(SIGHUP)
            usleep(200_000)
            #expect(try server.call("GET", "/healthz").status == 200)
            server.stop()
        }
    }

    @Test func `loses no acknowledged upload when it is killed under load`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database)
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let token = Token.access(user: user)
            let acknowledged = try simultaneously(5) { index -> [Int64] in
                if index == 4 {
                    usleep(700_000)
                    server.process.signal(SIGKILL)
                    return []
                }
                var files: [Int64] = []
                for number in 1...100_000 {
                    let file = Int64(index * 1_000_000 + number)
                    let record = World.record(
                        child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: file)
                    let body = World.logArrays([record])
                    guard let reply = try? server.call("POST", World.api + "devlog", token: token, body: body),
                        reply.status == 200
                    else { break }
                    files.append(file)
                }
                return files
            }.flatMap { $0 }
            let stored = Set(
                try world.sql.query("select log_file_id from device_logs").compactMap { $0.first ?? nil }
                    .compactMap { Int64($0) })
            #expect(!acknowledged.isEmpty)
            #expect(stored.isSuperset(of: acknowledged))
            #expect(try world.lastLogFileID(of: device) == stored.max())
        }
    }
}
