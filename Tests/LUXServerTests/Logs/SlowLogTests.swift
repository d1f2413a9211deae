import Foundation
import LUXTestSupport
import Testing

/// LUX_SLOW_MS
@Suite struct SlowLogTests {
    /// Uploads while another session holds the device for some time.
    private func upload(_ world: World, _ holder: SQLSession, holding: Bool, id: String) throws -> HTTPReply {
        let (user, child, device) = try world.family()
        try holder.script("begin; select * from devices where id = \(device.id) for update")
        let client = try world.server.connect()
        let body = World.logArrays([World.record(child: child, device: device, date: "2025-02-21T15:48:49")])
        try client.send(
            TestServer.request(
                "POST", World.api + "devlog", token: Token.access(user: user), headers: [("X-Request-ID", id)],
                body: body))
        if !holding {
            // From when the upload waits, which is later than its arrival.
            let waiting =
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            for _ in 0..<500 where try world.sql.integer(waiting) == 0 { usleep(10_000) }
            usleep(250_000)
            try holder.script("rollback")
        }
        return try client.receive()
    }

    private func lines(_ world: World, id: String, message: String) -> [JSONValue] {
        world.server.process.outputLines.compactMap { JSONValue($0) }.filter {
            $0["request_id"]?.string == id && $0["message"]?.string == message
        }
    }

    @Test func `a slow request and its slow statement are warnings, and an error stays one`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let world = try World(
                database, TestServer(database, environment: ["LUX_SLOW_MS": "200", "LUX_REQUEST_TIMEOUT": "8"]))
            #expect(try upload(world, database.session(), holding: false, id: "slow").status == 200)
            #expect(try upload(world, database.session(), holding: true, id: "late").status == 503)
            world.server.stop()
            for (id, level, status) in [("slow", "warning", 200), ("late", "error", 503)] {
                let requests = lines(world, id: id, message: "slow request")
                #expect(requests.count == 1 && lines(world, id: id, message: "request").isEmpty)
                #expect(requests.first?["level"]?.string == level, "\(requests)")
                #expect(requests.first?["status"]?.integer == Int64(status))
                let queries = lines(world, id: id, message: "slow query")
                #expect(queries.count == 1, "\(queries)")
                let statements = queries.first?["statement"]?.string?.components(separatedBy: ", ") ?? []
                #expect(statements.contains("devlog_lock_devices"), "\(queries)")
                #expect(queries.first?["level"]?.string == "warning")
                guard case .number(let text)? = queries.first?["duration_ms"], let milliseconds = Double(text) else {
                    Issue.record("no duration in \(queries)")
                    continue
                }
                #expect(milliseconds >= 200)
            }
        }
    }

    @Test func `0 makes nothing slow`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let world = try World(database, TestServer(database, environment: ["LUX_SLOW_MS": "0"]))
            #expect(try upload(world, database.session(), holding: false, id: "slow").status == 200)
            world.server.stop()
            #expect(lines(world, id: "slow", message: "request").count == 1)
            #expect(!world.server.process.output.contains("\"slow "))
        }
    }
}
