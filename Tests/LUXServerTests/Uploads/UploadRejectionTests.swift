import LUXTestSupport
import Testing

/// POST devlog: what the endpoint itself rejects.
@Suite struct UploadRejectionTests {
    let world: World

    init() throws { world = try World() }

    @Test func `rejects with the contract's errors, in its order`() throws {
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

    @Test func `reports the first error in the order of the records`() throws {
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
        expectInvalid(
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
        expect(try world.upload(good, as: user), json: Saved.complete)
    }

    @Test func `stores logs of several children and devices of the user in one request`() throws {
        let (user, child, device) = try world.family()
        let otherChild = try world.child(of: user)
        let other = try world.device(of: otherChild)
        let records = [
            World.record(child: child, device: device, date: "2025-02-21T15:48:49Z"),
            World.record(child: otherChild, device: other, date: "2025-02-21T15:48:49Z", flag: 4, file: 2),
        ]
        expect(try world.upload(records, as: user), json: Saved.complete, "one of them is complete")
        #expect(try world.logs(of: device) == ["\(child) | - | 2025-02-21T15:48:19.000Z | - | 2 | 60 | -"])
        #expect(try world.logs(of: other) == ["\(otherChild) | 2 | 2025-02-21T15:48:49.000Z | 4 | 2 | 60 | -"])
    }

    @Test func `responds 409 when the database rejects the write, and leaves no trace`() throws {
        let world = try World.own()
        let (user, child, device) = try world.family()
        try world.sql.script(
            """
            create function reject() returns trigger language plpgsql as
                $$ begin raise exception 'not today' using errcode = 'P0001'; end $$;
            """)
        func rejecting(_ event: String, _ work: () throws -> Void) throws {
            try world.sql.script(
                "create trigger rejecting before \(event) on device_logs for each row execute function reject()")
            try work()
            try world.sql.script("drop trigger rejecting on device_logs")
        }
        let temporary = World.record(child: child, device: device, date: "2025-02-21T15:48:49")
        let update = World.record(child: child, device: device, date: "2025-02-21T15:50:00")
        let complete = World.record(child: child, device: device, date: "2025-02-21T15:48:19", flag: 1, file: 1)
        try rejecting("insert") {
            expect(try world.upload([temporary], as: user), 409, "Create Device Log Failed")
            expect(try world.upload([complete], as: user), 409, "Create Device Log Failed")
        }
        #expect(try world.logs(of: device).isEmpty)
        #expect(try world.lastLogFileID(of: device) == 0)
        expect(try world.upload([temporary], as: user), json: Saved.temporary)
        let before = try world.everything(of: device)
        try rejecting("update") {
            expect(try world.upload([update], as: user), 409, "Update Device Log Failed")
            expect(try world.upload([complete], as: user), 409, "Update Device Log Failed")
        }
        #expect(try world.everything(of: device) == before)
        expect(try world.upload([complete], as: user), json: Saved.complete)
        world.server.stop()
    }

    @Test func `the log line names the record and its kind`() throws {
        let (user, child, device) = try world.family()
        let free = try world.device()
        let (_, strange, _) = try world.family()
        func record(_ child: Int64, _ device: World.Device, flag: Int?) -> String {
            World.record(child: child, device: device, date: "2025-02-21T15:48:49", flag: flag)
        }
        let good = record(child, device, flag: 1)
        let absent = World.Device(id: absentID, unique: "absent")
        for (records, status, cause) in [
            ([good, good, record(child, free, flag: 1)], 409, "log_arrays[2] (complete): Not Connected Device"),
            ([good, record(absentID, device, flag: nil)], 404, "log_arrays[1] (temporary): Not Found User"),
            ([record(child, absent, flag: nil)], 404, "log_arrays[0] (temporary): Not Found Device"),
            ([good, record(strange, device, flag: 2)], 401, "log_arrays[1] (complete): Not authorized user"),
        ] {
            let reply = try world.upload(records, as: user)
            #expect(reply.status == status)
            let lines = world.server.logLines(request: reply.requestID ?? "?")
            #expect(lines.map { $0["cause"]?.string } == [cause], "\(lines)")
            #expect(lines.first?["level"]?.string == "info")
        }
    }

    @Test func `a database that rejects every log is reported as an error in the log and counted`() throws {
        let world = try World.own()
        let (user, child, device) = try world.family()
        let record = World.record(child: child, device: device, date: "2025-02-21T15:48:49", flag: 1, file: 1)
        let update = World.record(
            child: child, device: device, date: "2025-02-21T15:48:49", flag: 1, intensity: 9, file: 1)
        func expectRejection(_ record: String, _ detail: String, _ state: String, _ statement: String) throws {
            let reply = try world.upload([record], as: user)
            expect(reply, 409, detail)
            let line = world.server.logLines(request: reply.requestID ?? "?").first
            #expect(line?["level"]?.string == "error", "\(line.debugDescription)")
            let cause = line?["cause"]?.string ?? ""
            for part in [detail, "SQLSTATE \(state)", "statement \(statement)"] {
                #expect(cause.contains(part), "\(cause)")
            }
        }
        for (change, back, state) in [
            (
                "alter table device_logs add column batch text not null", "alter table device_logs drop column batch",
                "23502"
            ),
            (
                "alter table device_logs rename column last_intensity to intensity",
                "alter table device_logs rename column intensity to last_intensity", "42703"
            ),
            (
                """
                create function reject() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
                create trigger rejecting before insert on device_logs for each row execute function reject()
                """, "drop trigger rejecting on device_logs", "P0001"
            ),
        ] {
            try world.sql.script(change)
            try expectRejection(record, "Create Device Log Failed", state, "insert_device_logs")
            try world.sql.script(back)
        }
        expect(try world.upload([record], as: user), json: Saved.complete)
        try world.sql.script(
            "create trigger rejecting before update on device_logs for each row execute function reject()")
        try expectRejection(update, "Update Device Log Failed", "P0001", "update_device_logs")
        let metrics = try world.call("GET", "/metrics").text
        for line in [#"{operation="update"} 1"#, #"{operation="create"} 3"#] {
            #expect(metrics.contains("\nlux_devlog_rejected_writes_total\(line)\n"), "\(metrics)")
        }
        world.server.stop()
    }

    @Test
    func `a withdrawn right to insert logs is an error with its SQLSTATE, and the upload succeeds once it is back`()
        throws
    {
        let database = try TestDatabase.make()
        let sql = try database.session()
        let role = "writer_\(Unique.number())"
        try sql.script(
            """
            create role \(role) login;
            grant select, insert, update on all tables in schema public to \(role);
            grant usage on all sequences in schema public to \(role)
            """)
        defer { _ = try? sql.script("drop owned by \(role); drop role \(role)") }
        let url = database.connectionString.replacing("postgres@", with: role + "@")
        let world = try World(database, try TestServer(database, environment: ["DATABASE_URL": url]))
        let (user, child, device) = try world.family()
        let record = World.record(child: child, device: device, date: "2025-02-21T15:48:49", flag: 1, file: 1)
        try sql.script("revoke insert on device_logs from \(role)")
        let rejected = try world.upload([record], as: user)
        expect(rejected, 409, "Create Device Log Failed")
        let line = world.server.logLines(request: rejected.requestID ?? "?").first
        #expect(line?["level"]?.string == "error")
        #expect(line?["cause"]?.string?.contains("SQLSTATE 42501") == true, "\(line.debugDescription)")
        #expect(
            try world.call("GET", "/metrics").text.contains(#"lux_devlog_rejected_writes_total{operation="create"} 1"#))
        try sql.script("grant insert on device_logs to \(role)")
        expect(try world.upload([record], as: user), json: Saved.complete)
        world.server.stop()
    }

    @Test func `stores implausible dates, counts them and names them in the log`() throws {
        let world = try World.own()
        let (user, child, device) = try world.family()
        func record(_ date: String, _ file: Int64) -> String {
            World.record(child: child, device: device, date: date, flag: 1, file: file)
        }
        let ahead =
            try world.sql.value("select to_char(now() + interval '25 hours', 'YYYY-MM-DD\"T\"HH24:MI:SSTZH')") ?? ""
        let soon =
            try world.sql.value("select to_char(now() + interval '23 hours', 'YYYY-MM-DD\"T\"HH24:MI:SSTZH')") ?? ""
        let records = [
            record("2015-01-01T00:00:00Z", 1), record(soon, 2), record("1970-01-01T00:00:00Z", 3), record(ahead, 4),
            record("2014-12-31T23:59:59Z", 5),
        ]
        let reply = try world.upload(records, as: user)
        expect(reply, json: Saved.complete)
        #expect(try world.logs(of: device).count == 5)
        let lines = world.server.logLines { $0["message"]?.string == "implausible date" }
        #expect(lines.count == 1)
        #expect(lines.first?["request_id"]?.string == reply.requestID)
        #expect(
            lines.first?["cause"]?.string
                == "log_arrays[2].detail_data.treatment_date: 1970-01-01T00:00:00.000Z, 3 of 5 records")
        #expect(try world.call("GET", "/metrics").text.contains("\nlux_devlog_implausible_dates_total 3\n"))
        world.server.stop()
    }

    @Test func `counts holes and restarts`() throws {
        let world = try World.own()
        let (user, child, device) = try world.family()
        for (day, file) in [(1, 7), (2, 9), (3, 1), (4, 2)] {
            let record = World.record(
                child: child, device: device, date: "2025-02-0\(day)T10:00:00Z", flag: 1, file: Int64(file))
            expect(try world.upload([record], as: user), json: Saved.complete)
        }
        let metrics = try world.call("GET", "/metrics").text
        #expect(metrics.contains("\nlux_devlog_holes_total 1\n") && metrics.contains("\nlux_devlog_restarts_total 1\n"))
        world.server.stop()
    }

    @Test func `responds 409 to a unique violation that does not pass`() throws {
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
