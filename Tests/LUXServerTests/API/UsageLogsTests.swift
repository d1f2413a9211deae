import LUXTestSupport
import Testing

/// GET usage-logs: reading logs back, page by page.
@Suite(.bothDoors) struct UsageLogsTests {
    let world: World
    let user: Int64
    let child: Int64
    let device: World.Device

    init() throws {
        world = try World()
        (user, child, device) = try world.family()
    }

    private func store(_ hours: Range<Int>, on device: World.Device? = nil) throws {
        let records = hours.map { hour in
            World.record(
                child: child, device: device ?? self.device,
                date:
                    "2025-03-\(hour < 240 ? "0" : "")\(1 + hour / 24)T\(hour % 24 < 10 ? "0" : "")\(hour % 24):00:00Z",
                flag: 1, file: Int64(hour))
        }
        expect(try world.upload(records, as: user), json: Saved.complete)
    }

    private func page(_ query: String = "") throws -> (files: [Int64], cursor: String?) {
        let reply = try world.call("GET", "usage-logs?real_user_id=\(child)\(query)", as: user)
        let json = try #require(reply.json, "\(reply.summary)")
        #expect(reply.status == 200 && json.keys == ["logs", "next_cursor"], "\(reply.summary)")
        return ((json["logs"]?.items ?? []).map { $0["log_file_id"]?.integer ?? -1 }, json["next_cursor"]?.string)
    }

    @Test func `shows each log with eleven members, the newest first, temporary ones included`() throws {
        let more = #","note":{"a":[1.50,"é"]}"#
        let records = [
            World.record(
                child: child, device: device, date: "2025-03-01T10:00:00.123456Z", flag: 2, file: 7, more: more),
            World.record(child: child, device: device, date: "2025-03-01T11:00:30Z", intensity: 5, time: 30),
        ]
        expect(try world.upload(records, as: user), json: Saved.complete)
        let rows = try world.sql.query(
            """
            select id, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), detail_data
            from device_logs where device_id = $1 order by treatment_date desc
            """, [String(device.id)]
        ).map { row in row.compactMap { $0 } }
        try #require(rows.count == 2)
        let reply = try world.call("GET", "usage-logs?real_user_id=\(child)", as: user)
        let expected = """
            {"logs":[{"id":\(rows[0][0]),"device_id":\(device.id),"real_user_id":\(child),"log_file_id":null,\
            "treatment_date":"2025-03-01T11:00:00.000Z","finish_flag":null,"last_intensity":5,"treatment_time":30,\
            "detail_data":\(rows[0][2]),"created_at":"\(rows[0][1])","updated_at":"\(rows[0][1])"},\
            {"id":\(rows[1][0]),"device_id":\(device.id),"real_user_id":\(child),"log_file_id":7,\
            "treatment_date":"2025-03-01T10:00:00.123Z","finish_flag":2,"last_intensity":2,"treatment_time":60,\
            "detail_data":\(rows[1][2]),"created_at":"\(rows[1][1])","updated_at":"\(rows[1][1])"}],"next_cursor":null}
            """
        #expect(reply.text == expected)
        #expect(rows[1][2].contains("1.50"))
    }

    @Test func `pages through all logs once, whatever the limit, while others arrive`() throws {
        try store(0..<25)
        var files: [Int64] = []
        var query = "&limit=7"
        for limit in [3, 500, 1, 10, 100, 100, 100] {
            let (page, cursor) = try page(query)
            files += page
            // Logs that arrive on both sides of the place.
            try store(100 + files.count..<101 + files.count)
            guard let cursor else { break }
            query = "&limit=\(limit)&cursor=\(cursor)"
        }
        #expect(files == (0..<25).reversed())
    }

    @Test func `logs of one start follow each other by id, the highest first, across pages`() throws {
        let records = (0..<5).map {
            World.record(child: child, device: device, date: "2025-03-01T10:00:00Z", flag: 1, file: Int64($0))
        }
        expect(try world.upload(records, as: user), json: Saved.complete)
        var files: [Int64] = []
        var cursor: String?
        repeat {
            let (page, next) = try page("&limit=2" + (cursor.map { "&cursor=\($0)" } ?? ""))
            files += page
            cursor = next
        } while cursor != nil
        #expect(files == [4, 3, 2, 1, 0])
    }

    @Test func `a page that is full exactly at the end has no cursor`() throws {
        try store(0..<4)
        #expect(try page("&limit=4").cursor == nil)
        #expect(try page("&limit=3").cursor != nil)
        #expect(try page("&limit=5").files.count == 4)
    }

    @Test func `has 100 logs a page unless asked otherwise`() throws {
        try store(0..<120)
        #expect(try page().files.count == 100)
        #expect(try page("&limit=500").files.count == 120)
    }

    @Test func `filters by device and span, from inclusive, to exclusive`() throws {
        let other = try world.device(of: child)
        try store(0..<3)
        try store(3..<6, on: other)
        #expect(try page().files == [5, 4, 3, 2, 1, 0])
        #expect(try page("&device_id=\(other.id)").files == [5, 4, 3])
        #expect(try page("&device_id=\(absentID)").files == [])
        #expect(try page("&from=2025-03-01T02:00:00Z&to=2025-03-01T04:00:00Z").files == [3, 2])
        #expect(try page("&from=2025-03-01T11:00%2B09&to=2025-03-01T04:00:00Z&device_id=\(device.id)").files == [2])
        #expect(try page("&from=2025-03-01T04:00:00Z&to=2025-03-01T04:00:00Z").files == [])
        #expect(try page("&from=2025-03-01T05:00:00Z&to=2025-03-01T04:00:00Z").files == [])
    }

    @Test func `shows the logs of this child alone, after the device has gone to another one too`() throws {
        try store(0..<2)
        let (other, otherChild, _) = try world.family()
        try world.sql.query(
            "update devices set real_user_id = $2 where id = $1", [String(device.id), String(otherChild)])
        let theirs = World.record(child: otherChild, device: device, date: "2025-03-05T00:00:00Z", flag: 1, file: 9)
        expect(try world.upload([theirs], as: other), json: Saved.complete)
        #expect(try page().files == [1, 0])
        #expect(try page("&device_id=\(device.id)").files == [1, 0])
        for target in ["usage-logs?real_user_id=\(otherChild)", "usage-logs?real_user_id=\(absentID)"] {
            expect(try world.call("GET", target, as: user), 401, "Not authorized user")
        }
    }

    @Test func `a cursor that is damaged or of another child, device or span is 422`() throws {
        let other = try world.child(of: user)
        try store(0..<4)
        let span = "&from=2025-03-01T00:00:00Z&to=2025-03-02T00:00:00Z"
        let cursor = try #require(try page("&limit=2\(span)").cursor)
        #expect(try page("&limit=1\(span)&cursor=\(cursor)").files == [1])
        #expect(try page("&to=2025-03-02T09:00:00%2B09:00&from=2025-03-01T00:00Z&cursor=\(cursor)").files == [1, 0])
        func rejects(_ query: String, of child: Int64? = nil, _ context: String) throws {
            let target = "usage-logs?real_user_id=\(child ?? self.child)\(query)"
            expectInvalid(try world.call("GET", target, as: user), at: "cursor", context)
        }
        try rejects("\(span)&cursor=\(cursor)", of: other, "another child")
        try rejects("\(span)&device_id=\(device.id)&cursor=\(cursor)", "another device")
        try rejects("&cursor=\(cursor)", "another span")
        try rejects("&from=2025-03-01T00:00:00Z&to=2025-03-03T00:00:00Z&cursor=\(cursor)", "another end")
        try rejects("\(span)&cursor=", "empty")
        try rejects("\(span)&cursor=\(cursor)A", "longer")
        for index in cursor.indices {
            var damaged = cursor
            damaged.replaceSubrange(index...index, with: cursor[index] == "A" ? "B" : "A")
            try rejects("\(span)&cursor=\(damaged)", damaged)
            try rejects("\(span)&cursor=\(cursor[..<index])", "shorter")
        }
    }

    @Test func `names the parameter that is not what it must be`() throws {
        let cases: [(query: String, field: String)] = [
            ("", "real_user_id"), ("real_user_id=0", "real_user_id"),
            ("real_user_id=\(child)&device_id=x", "device_id"),
            ("real_user_id=\(child)&device_id=", "device_id"), ("real_user_id=\(child)&from=yesterday", "from"),
            ("real_user_id=\(child)&from=2025-03-01T11:00+09:00", "from"), ("real_user_id=\(child)&to=", "to"),
            ("real_user_id=\(child)&limit=0", "limit"), ("real_user_id=\(child)&limit=501", "limit"),
            ("real_user_id=\(child)&limit=1.0", "limit"), ("real_user_id=\(child)&limit=1&limit=1", "limit"),
            ("real_user_id=\(child)&cursor=a&cursor=a", "cursor"), ("real_user_id=\(child)&to=x&from=x", "from"),
        ]
        for (query, field) in cases {
            expectInvalid(try world.call("GET", "usage-logs?\(query)", as: user), at: field, query)
        }
    }

    @Test func `a page of large logs is shorter than its limit, and the next one goes on`() throws {
        let note = String(repeating: "x", count: 60_000)
        for start in stride(from: 0, to: 40, by: 10) {
            let records = (start..<start + 10).map {
                World.record(
                    child: child, device: device, date: "2025-03-01T10:00:\($0 + 10)Z", flag: 1, file: Int64($0),
                    more: #","note":"\#(note)""#)
            }
            expect(try world.upload(records, as: user), json: Saved.complete)
        }
        var files: [Int64] = []
        var cursor: String?
        repeat {
            let target = "usage-logs?real_user_id=\(child)" + (cursor.map { "&cursor=\($0)" } ?? "")
            let reply = try world.call("GET", target, as: user)
            #expect(reply.text.utf8.count < 1_200_000)
            files += (reply.json?["logs"]?.items ?? []).map { $0["log_file_id"]?.integer ?? -1 }
            cursor = reply.json?["next_cursor"]?.string
        } while cursor != nil
        #expect(files == (0..<40).reversed())
    }
}
