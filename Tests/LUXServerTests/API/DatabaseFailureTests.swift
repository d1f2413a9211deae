import Foundation
import Glibc
import LUXTestSupport
import Testing

/// What a client sees when the database is slow, locked, or losing its sessions.
@Suite struct DatabaseFailureTests {
    private static let others =
        "datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"

    @Test func `responds correctly or 503 while its database sessions are terminated, and recovers`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database)
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let token = Token.access(user: user)
            let target = World.api + "child-device?real_user_id=\(child)"
            let end = Date(timeIntervalSinceNow: 3)
            let results = try simultaneously(9) { index -> [(file: Int64, reply: HTTPReply)] in
                var results: [(file: Int64, reply: HTTPReply)] = []
                if index == 8 {
                    let killer = try database.session()
                    while Date() < end {
                        usleep(150_000)
                        try killer.query("select pg_terminate_backend(pid) from pg_stat_activity where \(Self.others)")
                    }
                    return []
                }
                var file = Int64(index) * 1_000_000
                while Date() < end {
                    file += 1
                    if index % 2 == 0 {
                        results.append((0, try server.call("GET", target, token: token)))
                        continue
                    }
                    let record = World.record(
                        child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: file)
                    let body = World.logArrays([record])
                    results.append((file, try server.call("POST", World.api + "devlog", token: token, body: body)))
                }
                return results
            }
            let stored = Set(
                try database.session().query("select log_file_id from device_logs").compactMap { $0.first ?? nil })
            var succeeded = 0
            for (file, reply) in results.joined() {
                if reply.status == 503 {
                    expect(reply, 503, "Service temporarily unavailable")
                    continue
                }
                succeeded += 1
                #expect(reply.status == 200, "\(reply.summary)")
                if file == 0 { #expect(reply.json?["id"]?.integer == device.id) }
                if file > 0 { #expect(stored.contains(String(file)), "acknowledged, so it is stored") }
            }
            #expect(succeeded > 50)
            #expect(server.waits(for: 200, at: "/readyz"))
            for _ in 0..<20 { #expect(try server.call("GET", target, token: token).status == 200) }
            server.stop()
        }
    }

    @Test func `serves 32 clients over one database connection`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database, environment: ["LUX_DB_POOL": "1"])
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let token = Token.access(user: user)
            let statuses = try simultaneously(32) { index in
                let client = try server.connect()
                return try (0..<15).map { round -> Int in
                    let record = World.record(
                        child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1,
                        file: Int64(index * 100 + round))
                    try client.send(
                        round % 3 == 0
                            ? TestServer.request(
                                "POST", World.api + "devlog", token: token, body: World.logArrays([record]))
                            : TestServer.request("GET", World.api + "get-all-device", token: token))
                    return try client.receive().status
                }
            }
            #expect(Set(statuses.joined()) == [200])
            #expect(try world.logs(of: device).count == 32 * 5)
            let sessions = try world.sql.integer("select count(*) from pg_stat_activity where \(Self.others)")
            #expect(sessions <= 1)
            server.stop()
        }
    }

    @Test func `gives up on a locked row in time and serves the others meanwhile`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database, environment: ["LUX_REQUEST_TIMEOUT": "2"])
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let (otherUser, otherChild, other) = try world.family()
            let token = Token.access(user: user)
            func upload(_ child: Int64, _ device: World.Device) -> String {
                World.logArrays([World.record(child: child, device: device, date: "2025-02-21T15:48:49")])
            }
            let alias = #"{"device_id":\#(device.id),"real_user_id":\#(child),"device_alias":"x"}"#
            let requests = [
                TestServer.request("POST", World.api + "devlog", token: token, body: upload(child, device)),
                TestServer.request("PATCH", World.api + "update-alias", token: token, body: alias),
                TestServer.request(
                    "PATCH", World.api + "un-connect?unique_id=\(device.unique)&real_user_id=\(child)", token: token),
            ]
            try world.sql.script("begin; select * from devices where id = \(device.id) for update")
            let start = Date()
            let clients = try requests.map { request in
                let client = try server.connect()
                try client.send(request)
                return client
            }
            expect(
                try server.call(
                    "POST", World.api + "devlog", token: Token.access(user: otherUser),
                    body: upload(otherChild, other)), json: Saved.temporary)
            #expect(try server.call("GET", World.api + "get-all-device", token: token).status == 200)
            for client in clients {
                let reply = try client.receive()
                expect(reply, 503, "Service temporarily unavailable")
                #expect(reply.header("Retry-After") != nil)
            }
            #expect((1...6).contains(Date().timeIntervalSince(start)))
            try world.sql.script("rollback")
            for request in requests {
                let client = try server.connect()
                try client.send(request)
                let reply = try client.receive()
                #expect(reply.status == 200, "\(reply.summary)")
            }
            server.stop()
        }
    }

    @Test func `gives up on a database that has stopped responding, and recovers`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database, environment: ["LUX_REQUEST_TIMEOUT": "2"])
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let token = Token.access(user: user)
            let target = World.api + "child-device?real_user_id=\(child)"
            #expect(try server.call("GET", target, token: token).status == 200)
            let sessions = try world.sql.query("select pid from pg_stat_activity where \(Self.others)")
                .compactMap { $0.first ?? nil }.compactMap { pid_t($0) }
            #expect(!sessions.isEmpty)
            sessions.forEach { kill($0, SIGSTOP) }
            defer { sessions.forEach { kill($0, SIGCONT) } }
            let start = Date()
            let replies = try simultaneously(8) { _ in try server.call("GET", target, token: token) }
            #expect(Date().timeIntervalSince(start) < 8)
            for reply in replies where reply.status != 200 { expect(reply, 503, "Service temporarily unavailable") }
            #expect(try server.call("GET", "/healthz").status == 200)
            sessions.forEach { kill($0, SIGCONT) }
            #expect(server.waits(for: 200, at: "/readyz"))
            let reply = try server.call("GET", target, token: token)
            #expect(reply.json?["id"]?.integer == device.id, "\(reply.summary)")
            server.stop()
        }
    }
}
