import Foundation
import LUXTestSupport
import Testing

/// LUX_SLOW_MS
@Suite struct SlowLogTests {
    /// Uploads for a device whose logs take some seconds to insert.
    private func upload(_ world: World, seconds: Double, id: String) throws -> HTTPReply {
        let (user, child, device) = try world.family()
        try world.sql.script(
            """
            create function sleep_\(device.id)() returns trigger language plpgsql as
                $$ begin perform pg_sleep(\(seconds)); return new; end $$;
            create trigger sleep_\(device.id) before insert on device_logs for each row
                when (new.device_id = \(device.id)) execute function sleep_\(device.id)();
            """)
        let client = try world.server.connect()
        let body = World.logArrays([World.record(child: child, device: device, date: "2025-02-21T15:48:49")])
        try client.send(
            TestServer.request(
                "POST", World.api + "devlog", token: Token.access(user: user), headers: [("X-Request-ID", id)],
                body: body))
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
            #expect(try upload(world, seconds: 0.3, id: "slow").status == 200)
            #expect(try upload(world, seconds: 20, id: "late").status == 503)
            // The commit's own end, which the request does not wait for.
            for _ in 0..<500 where lines(world, id: "late", message: "slow query").isEmpty { usleep(10_000) }
            world.server.stop()
            for (id, level, status) in [("slow", "warning", 200), ("late", "error", 503)] {
                let requests = lines(world, id: id, message: "slow request")
                #expect(requests.count == 1 && lines(world, id: id, message: "request").isEmpty)
                #expect(requests.first?["level"]?.string == level, "\(requests)")
                #expect(requests.first?["status"]?.integer == Int64(status))
                let queries = lines(world, id: id, message: "slow query")
                #expect(queries.count == 1, "\(queries)")
                let statements = queries.first?["statement"]?.string?.components(separatedBy: ", ") ?? []
                #expect(statements.contains("insert_device_logs"), "\(queries)")
                #expect(queries.first?["level"]?.string == "warning")
                guard case .number(let text)? = queries.first?["duration_ms"], let milliseconds = Double(text) else {
                    Issue.record("no duration in \(queries)")
                    continue
                }
                #expect(milliseconds >= 200)
            }
        }
    }

    @Test func `0 disables the report of slow requests`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let world = try World(database, TestServer(database, environment: ["LUX_SLOW_MS": "0"]))
            #expect(try upload(world, seconds: 0.3, id: "slow").status == 200)
            world.server.stop()
            #expect(lines(world, id: "slow", message: "request").count == 1)
            #expect(!world.server.process.output.contains("\"slow "))
        }
    }
}
