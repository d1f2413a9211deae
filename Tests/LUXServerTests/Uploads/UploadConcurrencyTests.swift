import LUXTestSupport
import Testing

/// POST devlog: many clients at the same time.
@Suite struct UploadConcurrencyTests {
    let world: World

    init() throws { world = try World() }

    @Test func `keeps the log's rules with sixteen clients uploading for one device`() throws {
        let (user, child, device) = try world.family()
        let server = world.server
        let token = Token.access(user: user)
        let replies = try simultaneously(16) { index in
            let client = try server.connect()
            return try (0..<20).map { round -> String in
                // Half of the records are the same for all clients, so that they meet at the unique indexes.
                let file = Int64(round % 2 == 0 ? round : 100 + index * 20 + round)
                let records = [
                    World.record(child: child, device: device, date: "2025-05-01T10:\(10 + round):30Z"),
                    World.record(
                        child: child, device: device, date: "2025-05-01T10:\(10 + round):00Z", flag: 1, file: file),
                ]
                let sent = index % 3 == 0 ? [records[1]] : index % 3 == 1 ? [records[0]] : records
                try client.send(
                    TestServer.request(
                        "POST", World.api + "devlog", token: token, body: World.logArrays(sent)))
                return try client.receive().summary
            }
        }
        #expect(Set(replies.joined()).isSubset(of: ["200 " + Saved.temporary, "200 " + Saved.complete]))

        let id = [String(device.id)]
        let temporary = try world.sql.integer(
            "select count(*) from device_logs where device_id = $1 and finish_flag is null", id)
        #expect(temporary <= 1)
        let doubles = try world.sql.integer(
            """
            select count(*) from (select 1 from device_logs where device_id = $1 and finish_flag is not null
                group by log_file_id, treatment_date having count(*) > 1) doubles
            """, id)
        #expect(doubles == 0)
        let missing = try world.sql.integer(
            """
            select count(*) from generate_series(0, 18, 2) wanted where not exists
                (select 1 from device_logs where device_id = $1 and log_file_id = wanted)
            """, id)
        #expect(missing == 0)
        let highest = try world.sql.integer("select max(log_file_id) from device_logs where device_id = $1", id)
        #expect(try world.lastLogFileID(of: device) == highest)
    }

    @Test func `creates one temporary log when sixteen clients send the first record at the same time`() throws {
        let server = world.server
        for _ in 0..<5 {
            let (user, child, device) = try world.family()
            let body = World.logArrays([World.record(child: child, device: device, date: "2025-05-01T10:00:30Z")])
            let replies = try simultaneously(16) { _ in
                try server.call("POST", World.api + "devlog", token: Token.access(user: user), body: body).summary
            }
            #expect(Set(replies) == ["200 " + Saved.temporary])
            #expect(try world.logs(of: device) == ["\(child) | - | 2025-05-01T10:00:00.000Z | - | 2 | 60 | -"])
        }
    }

    @Test func `neither deadlocks nor fails when requests name the same devices in opposite orders`() throws {
        let user = try world.user()
        let children = try (0..<4).map { _ in try world.child(of: user) }
        let devices = try children.map { try world.device(of: $0) }
        let server = world.server
        let replies = try simultaneously(16) { index in
            try (0..<10).map { round -> Int in
                let order = index % 2 == 0 ? Array(0..<4) : Array((0..<4).reversed())
                let records = order.map { place in
                    World.record(
                        child: children[place], device: devices[place], date: "2025-05-01T11:\(10 + round):00Z",
                        flag: 1, file: Int64(index * 10 + round))
                }
                return try server.call(
                    "POST", World.api + "devlog", token: Token.access(user: user), body: World.logArrays(records)
                ).status
            }
        }
        #expect(Set(replies.joined()) == [200])
        for device in devices { #expect(try world.logs(of: device).count == 160) }
    }
}
