import Glibc
import LUXTestSupport
import Testing

/// POST devlog: uploads that come again, late, or from another child.
@Suite struct UploadRepeatTests {
    let world: World
    let user: Int64
    let child: Int64
    let device: World.Device

    init() throws {
        world = try World()
        (user, child, device) = try world.family()
    }

    private func record(
        _ time: String, _ flag: Int? = nil, file: Int64? = nil, intensity: Int = 2, child: Int64? = nil
    ) -> String {
        World.record(
            child: child ?? self.child, device: device, date: "2025-03-01T\(time)Z", flag: flag, intensity: intensity,
            file: file)
    }

    @Test func `stores a refresh that differs in the decimals of an unknown number only`() throws {
        for decimals in ["1.0", "1.00"] {
            let record = World.record(
                child: child, device: device, date: "2025-03-02T10:00:00Z", flag: 1, file: 1,
                more: ",\"voltage\":\(decimals)")
            expect(try world.upload([record], as: user), json: Saved.complete)
            let stored = try world.sql.value(
                "select detail_data->>'voltage' from device_logs where device_id = $1", [String(device.id)])
            #expect(stored == decimals)
        }
    }

    @Test func `times an upload that waited for another one behind it`() async throws {
        try await onThread {
            let world = try World.own()
            let (user, child, device) = try world.family()
            try world.sql.script("begin; select * from devices where id = \(device.id) for update")
            let token = Token.access(user: user)
            let record = World.record(child: child, device: device, date: "2025-03-02T10:00:00Z", flag: 1, file: 1)
            let client = try world.server.connect()
            try client.send(
                TestServer.request("POST", World.api + "devlog", token: token, body: World.logArrays([record])))
            usleep(300_000)
            let released = try world.sql.value("select clock_timestamp()")
            try world.sql.script("commit")
            #expect(try client.receive().status == 200)
            let late = try world.sql.integer(
                "select count(*) from device_logs where created_at > $1 and updated_at > $1", [released])
            #expect(late == 1)
            world.server.stop()
        }
    }

    @Test func `changes nothing when the same upload comes twice`() throws {
        let uploads: [[String]] = [
            [record("10:00:30")],
            [record("10:00:00", 1, file: 1)],
            [record("11:00:00", 2)],
            [record("12:00:00", 1, file: 3), record("13:00:00", 1, file: 4), record("14:00:30")],
            [record("15:00:30"), record("15:00:00", 3, file: 5), record("16:00:30")],
        ]
        for (index, records) in uploads.enumerated() {
            let first = try world.upload(records, as: user)
            #expect(first.status == 200, "\(index) → \(first.summary)")
            let stored = try world.everything(of: device)
            for _ in 0..<2 {
                #expect(try world.upload(records, as: user).summary == first.summary)
                #expect(try world.everything(of: device) == stored, "upload \(index)")
            }
        }
    }

    @Test func `acknowledges a late repeat of a temporary record and changes nothing`() throws {
        let temporary = record("10:00:30", intensity: 4)
        _ = try world.upload([temporary], as: user)
        _ = try world.upload([record("10:00:01", 1, file: 1)], as: user)
        let stored = try world.everything(of: device)
        expect(try world.upload([temporary], as: user), json: Saved.temporary)
        #expect(try world.everything(of: device) == stored)
        #expect(try world.logs(of: device).count == 1)
    }

    @Test func `keeps the last of several uploads of one log`() throws {
        _ = try world.upload([record("10:00:00", 1, file: 1, intensity: 5)], as: user)
        _ = try world.upload([record("10:00:00", 3, file: 1, intensity: 6)], as: user)
        expect(try world.upload([record("10:00:00", 1, file: 1, intensity: 5)], as: user), json: Saved.complete)
        #expect(try world.logs(of: device) == ["\(child) | 1 | 2025-03-01T10:00:00.000Z | 1 | 5 | 60 | -"])
    }

    @Test func `distinguishes two logs of one file id by their start, and two of one start by their file id`() throws {
        let records = [
            record("10:00:00", 1, file: 1), record("11:00:00", 1, file: 1), record("10:00:00", 1, file: 2),
            record("10:00:00", 1),
        ]
        for record in records { #expect(try world.upload([record], as: user).status == 200) }
        #expect(try world.logs(of: device).count == 4)
        #expect(try world.upload(records, as: user).status == 200)
        #expect(try world.logs(of: device).count == 4)
    }

    @Test func `leaves a complete log of another child alone and responds 200`() throws {
        _ = try world.upload([record("10:00:00", 1, file: 5, intensity: 3)], as: user)
        let logs = try world.sql.query("select row(l.*) from device_logs l where device_id = $1", [String(device.id)])
        let other = try world.user()
        let otherChild = try world.child(of: other)
        try world.sql.query(
            "update devices set real_user_id = $2 where id = $1", [String(device.id), String(otherChild)])

        let theirs = record("10:00:00", 1, file: 5, intensity: 99, child: otherChild)
        expect(try world.upload([theirs], as: other), json: Saved.complete)
        let after = try world.sql.query("select row(l.*) from device_logs l where device_id = $1", [String(device.id)])
        #expect(after == logs)
        expect(try world.upload([record("10:00:00", 1, file: 5)], as: user), 409, "Not Connected Device")
    }

    @Test func `keeps a temporary log for each child of a device`() throws {
        _ = try world.upload([record("10:00:30")], as: user)
        let other = try world.user()
        let otherChild = try world.child(of: other)
        try world.sql.query(
            "update devices set real_user_id = $2 where id = $1", [String(device.id), String(otherChild)])
        _ = try world.upload([record("11:00:30", child: otherChild)], as: other)
        _ = try world.upload([record("11:00:00", 1, file: 1, child: otherChild)], as: other)
        #expect(
            try world.logs(of: device) == [
                "\(child) | - | 2025-03-01T10:00:00.000Z | - | 2 | 60 | -",
                "\(otherChild) | 1 | 2025-03-01T11:00:00.000Z | 1 | 2 | 60 | 2025-03-01T11:00:00.000Z",
            ])
    }

    @Test func `an older log does not lower last_log_file_id, nor does one without a file id`() throws {
        let steps: [(file: Int64?, last: Int64)] = [(5, 5), (3, 5), (nil, 5), (0, 5), (6, 6)]
        for (index, step) in steps.enumerated() {
            _ = try world.upload([record("1\(9 - index):00:00", 1, file: step.file)], as: user)
            #expect(try world.lastLogFileID(of: device) == step.last)
        }
        try world.sql.query("update devices set last_log_file_id = 100 where id = $1", [String(device.id)])
        _ = try world.upload([record("09:00:00", 1, file: 50)], as: user)
        #expect(try world.lastLogFileID(of: device) == 100)
    }

    @Test func `ignores the file id of a temporary record`() throws {
        expect(try world.upload([record("10:00:30", file: 9)], as: user), json: Saved.temporary)
        #expect(try world.logs(of: device) == ["\(child) | - | 2025-03-01T10:00:00.000Z | - | 2 | 60 | -"])
        #expect(try world.lastLogFileID(of: device) == 0)
    }
}
