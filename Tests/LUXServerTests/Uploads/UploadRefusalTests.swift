import LUXTestSupport
import Testing

/// POST devlog: what the endpoint itself refuses.
@Suite struct UploadRefusalTests {
    let world: World

    init() throws { world = try World() }

    @Test func `refuses with the contract's errors, in its order`() throws {
        let (user, child, device) = try world.family()
        let sibling = try world.child(of: user)
        let (_, strangersChild, strangers) = try world.family()
        let free = try world.device()
        let wrongName = World.Device(id: device.id, unique: strangers.unique)
        let ghost = World.Device(id: absentID, unique: device.unique)
        let cases: [(child: Int64, device: World.Device, status: Int, detail: String)] = [
            (absentID, ghost, 404, "Not Found User"), (absentID, device, 404, "Not Found User"),
            (strangersChild, ghost, 401, "Not authorized user"),
            (strangersChild, strangers, 401, "Not authorized user"),
            (child, ghost, 404, "Not Found Device"), (child, wrongName, 404, "Not Found Device"),
            (child, free, 409, "Not Connected Device"), (child, strangers, 409, "Not Connected Device"),
            (sibling, device, 409, "Not Connected Device"),
        ]
        for flag in [nil, 1] {
            for (child, device, status, detail) in cases {
                let record = World.record(
                    child: child, device: device, date: "2025-02-21T15:48:49", flag: flag, file: 1)
                expect(try world.upload([record], as: user), status, detail, record)
            }
        }
        expect(
            try world.upload([World.record(child: child, device: device, date: "2025-02-21T15:48:49")], as: absentID),
            401, "Not authorized user")
        for device in [device, strangers, free] { #expect(try world.logs(of: device).isEmpty) }
    }

    @Test func `tells the first fault in the order of the records`() throws {
        let (user, child, device) = try world.family()
        let free = try world.device()
        func record(_ child: Int64, _ device: World.Device) -> String {
            World.record(child: child, device: device, date: "2025-02-21T15:48:49", flag: 1, file: 1)
        }
        let notConnected = record(child, free)
        let noUser = record(absentID, device)
        expect(try world.upload([notConnected, noUser], as: user), 409, "Not Connected Device")
        expect(try world.upload([noUser, notConnected], as: user), 404, "Not Found User")
        let broken = noUser.replacing(#""finish_flag":1"#, with: #""finish_flag":7"#)
        expectFault(
            try world.upload([notConnected, broken], as: user), at: "log_arrays[1].detail_data.finish_flag",
            "parameters before the endpoint's own checks")
    }

    @Test func `stores all records or none`() throws {
        let (user, child, device) = try world.family()
        let good = (1...3).map {
            World.record(child: child, device: device, date: "2025-02-2\($0)T15:48:49", flag: 1, file: Int64($0))
        }
        let bad = World.record(child: absentID, device: device, date: "2025-02-25T15:48:49", flag: 1, file: 4)
        let before = try world.everything(of: device)
        expect(try world.upload(good + [bad], as: user), 404, "Not Found User")
        expect(try world.upload([good[0], bad] + good, as: user), 404, "Not Found User")
        #expect(try world.everything(of: device) == before)
        expect(try world.upload(good, as: user), answers: Saved.complete)
    }

    @Test func `stores logs of several children and devices of the user in one request`() throws {
        let (user, child, device) = try world.family()
        let otherChild = try world.child(of: user)
        let other = try world.device(of: otherChild)
        let records = [
            World.record(child: child, device: device, date: "2025-02-21T15:48:49Z"),
            World.record(child: otherChild, device: other, date: "2025-02-21T15:48:49Z", flag: 4, file: 2),
        ]
        expect(try world.upload(records, as: user), answers: Saved.complete, "one of them is complete")
        #expect(try world.logs(of: device) == ["\(child) | - | 2025-02-21T15:48:19.000Z | - | 2 | 60 | -"])
        #expect(try world.logs(of: other) == ["\(otherChild) | 2 | 2025-02-21T15:48:49.000Z | 4 | 2 | 60 | -"])
    }

    @Test func `answers 409 when the database refuses the write, and leaves no trace`() throws {
        let world = try World.own()
        let (user, child, device) = try world.family()
        try world.sql.script(
            """
            create function refuse() returns trigger language plpgsql as
                $$ begin raise exception 'not today' using errcode = 'P0001'; end $$;
            """)
        func refusing(_ event: String, _ work: () throws -> Void) throws {
            try world.sql.script(
                "create trigger refusing before \(event) on device_logs for each row execute function refuse()")
            try work()
            try world.sql.script("drop trigger refusing on device_logs")
        }
        let temporary = World.record(child: child, device: device, date: "2025-02-21T15:48:49")
        let update = World.record(child: child, device: device, date: "2025-02-21T15:50:00")
        let complete = World.record(child: child, device: device, date: "2025-02-21T15:48:19", flag: 1, file: 1)
        try refusing("insert") {
            expect(try world.upload([temporary], as: user), 409, "Create Device Log Failed")
            expect(try world.upload([complete], as: user), 409, "Create Device Log Failed")
        }
        #expect(try world.logs(of: device).isEmpty)
        #expect(try world.lastLogFileID(of: device) == 0)
        expect(try world.upload([temporary], as: user), answers: Saved.temporary)
        let before = try world.everything(of: device)
        try refusing("update") {
            expect(try world.upload([update], as: user), 409, "Update Device Log Failed")
            expect(try world.upload([complete], as: user), 409, "Update Device Log Failed")
        }
        #expect(try world.everything(of: device) == before)
        expect(try world.upload([complete], as: user), answers: Saved.complete)
        world.server.stop()
    }

    @Test func `answers 409 to a unique violation that does not pass`() throws {
        let world = try World.own()
        let (user, child, device) = try world.family()
        let (_, otherChild, other) = try world.family()
        // Rows with ids of their own, which the sequence will come to.
        try world.sql.script(
            """
            insert into device_logs (id, device_id, real_user_id, treatment_date, finish_flag)
            select n, \(other.id), \(otherChild), now() + n * interval '1 second', 1 from generate_series(1, 20) n
            """)
        let record = World.record(child: child, device: device, date: "2025-02-21T15:48:19", flag: 1, file: 1)
        expect(try world.upload([record], as: user), 409, "Create Device Log Failed")
        #expect(try world.logs(of: device).isEmpty)
        world.server.stop()
    }
}
