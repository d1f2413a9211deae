import Foundation
import LUXTestSupport
import Testing

/// lux-server device show, disconnect, clear-codes, set-codes, reset-log-counter
@Suite struct SupportTests {
    private func device(
        _ world: World, _ arguments: [String], database: String? = nil, environment: [String: String] = [:]
    ) throws -> LUXCommand {
        let database = try database ?? Self.connectionString(world)
        return try LUXCommand.run(
            ["device"] + arguments, environment: ["DATABASE_URL": database].merging(environment) { $1 })
    }

    private static func connectionString(_ world: World) throws -> String {
        TestCluster.shared.connectionString(try world.sql.value("select current_database()") ?? "")
    }

    /// The lines of a table by their first column.
    private static func rows(_ output: String) -> [String: String] {
        output.split(separator: "\n").reduce(into: [:]) { rows, line in
            let parts = line.split(separator: "  ", maxSplits: 1)
            if parts.count == 2 { rows[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
    }

    private func actions(_ world: World, _ device: World.Device) throws -> [[String?]] {
        try world.sql.query(
            "select action, operator, unique_id, detail from support_actions where device_id = $1 order by id",
            [String(device.id)])
    }

    @Test func `shows what a device is, who has it and its logs, and records who looked and whose data`() async throws {
        try await onThread {
            let world = try World()
            let user = try world.user()
            let owner = try world.child(of: user)
            let (unit, _, _) = try world.completeDevice(of: owner)
            for (flag, file) in [(1, 3), (1, 21), (nil, nil)] as [(Int?, Int64?)] {
                let record = World.record(
                    child: owner, device: unit, date: "2025-02-0\(file.map { $0 % 9 + 1 } ?? 9)T00:00:00Z", flag: flag,
                    file: file)
                #expect(try world.upload([record], as: user).status == 200)
            }
            let run = try device(world, ["show", unit.unique, "--operator", "Kim"])
            #expect(run.ending == .exit(0), "\(run.everything)")
            let expected = [
                ("shown_data_of", "child \(owner) of user \(user)"), ("id", "\(unit.id)"), ("unique_id", unit.unique),
                ("serial_code", "SN-1"), ("mac_id", "41AD"), ("project", "LUX"), ("hardware", "LUX-H1"),
                ("firmware", "1.4.2"), ("real_user_id", "\(owner)"), ("root_user_id", "\(user)"),
                ("last_log_file_id", "21"), ("highest_stored_log_file_id", "21"), ("complete_logs", "2"),
                ("temporary_logs", "1"),
            ]
            let rows = Self.rows(run.output)
            for (name, value) in expected { #expect(rows[name] == value, "\(name): \(run.output)") }
            let again = try device(world, ["show", unit.unique], environment: ["USER": "root", "SUDO_USER": "lee"])
            let shown = #"{"real_user_id": \#(owner), "root_user_id": \#(user)}"#
            #expect(again.output.contains(" Kim show \(shown)"), "\(again.output)")
            #expect(try actions(world, unit) == ["Kim", "lee"].map { ["show", $0, unit.unique, shown] })
            let plain = try device(world, ["show", try world.device().unique], environment: ["USER": "root"])
            #expect(Self.rows(plain.output)["connected_at"] == "none" && plain.errors.contains(#""operator":"root""#))
            #expect(Self.rows(plain.output)["shown_data_of"] == "none")
        }
    }

    @Test func `shows holes, restarts and duplicates in the numbers of a device`() async throws {
        try await onThread {
            let world = try World()
            let (user, child, unit) = try world.family()
            func upload(_ day: Int, _ file: Int64) throws {
                let record = World.record(
                    child: child, device: unit, date: "2025-02-\(day)T00:00:00Z", flag: 1, file: file)
                #expect(try world.upload([record], as: user).status == 200)
            }
            try upload(10, 500)
            try upload(11, 501)
            func lines() throws -> [String: String] {
                Self.rows(try device(world, ["show", unit.unique, "--operator", "Kim"]).output)
            }
            for name in ["holes_since_last_restart", "counter_restarts", "numbers_stored_more_than_once"] {
                #expect(try lines()[name] == "none")
            }
            for (day, file) in [(12, 1), (13, 2), (14, 4), (15, 8), (16, 8)] { try upload(day, Int64(file)) }
            let found = try lines()
            for (name, value) in [
                ("holes_since_last_restart", "3, 5-7"), ("counter_restarts", "2025-02-12T00:00:00Z (501 to 1)"),
                ("numbers_stored_more_than_once", "8 (2 times)"), ("last_log_file_id", "8"),
                ("highest_stored_log_file_id", "501"), ("complete_logs", "7"),
            ] { #expect(found[name] == value, "\(name): \(found)") }
            let run = try device(world, ["show", unit.unique, "--operator", "Kim", "--json"])
            let object = try #require(JSONValue(run.output))
            #expect(object["last_log_file_id"]?.integer == 8 && object["unique_id"]?.string == unit.unique)
            #expect(object["holes_since_last_restart"]?.items?.compactMap(\.string) == ["3", "5-7"])
            #expect(object["actions"]?.items?.first?["action"]?.string == "show", "\(run.output)")
        }
    }

    @Test func `disconnects as the user can, and the next child can connect`() async throws {
        try await onThread {
            let world = try World()
            let (user, child, unit) = try world.family()
            try world.sql.query(
                "update devices set device_alias = 'secret', last_log_file_id = 5 where id = $1", [String(unit.id)])
            let run = try device(world, ["disconnect", unit.unique, "--operator", "Kim"])
            #expect(run.ending == .exit(0), "\(run.everything)")
            #expect(!run.everything.contains("secret"))
            #expect(
                try world.sql.query(
                    "select real_user_id, device_alias, connected_at, last_log_file_id from devices where id = $1",
                    [String(unit.id)]) == [[nil, nil, nil, "5"]])
            #expect(
                try actions(world, unit) == [
                    ["disconnect", "Kim", unit.unique, #"{"real_user_id": \#(child), "root_user_id": \#(user)}"#]
                ])
            let line = try #require(run.errors.split(separator: "support action ").last)
            #expect(JSONValue(String(line))?["operator"] == .string("Kim"), "\(run.errors)")
            let again = try device(world, ["disconnect", unit.unique, "--operator", "Kim"])
            #expect(again.ending == .exit(1) && again.errors.contains("is not connected"))
            #expect(try actions(world, unit).count == 1)
            let target = "set-my-device?serial_code=S&mac_id=41AD&unique_id=\(unit.unique)&real_user_id=\(child)"
            #expect(try world.call("POST", target, as: user).status == 200)
        }
    }

    @Test func `resets the counter, and uploads raise it from there`() async throws {
        try await onThread {
            let world = try World()
            let (user, child, unit) = try world.family()
            func upload(_ file: Int64, day: Int) throws {
                let record = World.record(
                    child: child, device: unit, date: "2025-02-1\(day)T00:00:00Z", flag: 1, file: file)
                #expect(try world.upload([record], as: user).status == 200)
            }
            try upload(2_000_000_000, day: 1)
            let logs = try world.logs(of: unit)
            for (arguments, number) in [([], 0), (["--to", "41"], 41), (["--to", "2147483647"], 2_147_483_647)] {
                let run = try device(
                    world, ["reset-log-counter", unit.unique, "--operator", "Kim"] + (arguments as [String]))
                #expect(
                    run.ending == .exit(0) && Self.rows(run.output)["last_log_file_id"] == "\(number)",
                    "\(run.everything)")
                #expect(try world.lastLogFileID(of: unit) == Int64(number))
            }
            #expect(try world.logs(of: unit) == logs)
            #expect(
                try actions(world, unit).compactMap { $0.last ?? nil }.map { String($0.prefix { $0 != "r" }) } == [
                    #"{"to": 0, "f"#, #"{"to": 41, "f"#, #"{"to": 2147483647, "f"#,
                ])
            _ = try device(world, ["reset-log-counter", unit.unique, "--operator", "Kim"])
            try upload(1, day: 2)
            #expect(try world.lastLogFileID(of: unit) == 1)
        }
    }

    @Test func `waits for an upload in flight`() async throws {
        try await onThread {
            let world = try World()
            let (_, _, unit) = try world.family()
            let other = try SQLSession(Self.connectionString(world))
            try other.script("begin; update devices set last_log_file_id = 9 where id = \(unit.id)")
            let process = try ChildProcess(
                Locations.server, ["device", "reset-log-counter", unit.unique, "--operator", "Kim", "--to", "3"],
                environment: LUXCommand.environment(["DATABASE_URL": try Self.connectionString(world)]))
            #expect(process.wait(seconds: 0.5) == nil)
            try other.script("commit")
            #expect(process.wait() == .exit(0), "\(process.errors)")
            #expect(Self.rows(process.output)["last_log_file_id_was"] == "9", "\(process.output)")
        }
    }

    @Test func `clears and sets codes, and each leaves a record`() async throws {
        try await onThread {
            let world = try World()
            let (user, child, _) = try world.family()
            let unit = try world.device(serial: "WRONG", mac: "FFFF")
            func connect(_ serial: String, _ mac: String) throws -> Int {
                try world.call(
                    "POST",
                    "set-my-device?serial_code=\(serial)&mac_id=\(mac)&unique_id=\(unit.unique)&real_user_id=\(child)",
                    as: user
                ).status
            }
            #expect(try connect("SN-1", "41AD") == 404)
            let clear = try device(world, ["clear-codes", unit.unique, "--operator", "Kim"])
            #expect(
                clear.ending == .exit(0) && Self.rows(clear.output)["serial_code_was"] == "WRONG", "\(clear.everything)"
            )
            #expect(try connect("SN-1", "41AD") == 200)
            let codes = "select serial_code, mac_id from devices where id = \(unit.id)"
            #expect(try world.sql.query(codes) == [["SN-1", "41AD"]])
            #expect(
                try device(world, ["set-codes", unit.unique, "--mac-id", "AA:BB:CC:DD:41:AE", "--operator", "Kim"])
                    .ending == .exit(0))
            #expect(try world.sql.query(codes) == [["SN-1", "AA:BB:CC:DD:41:AE"]])
            #expect(
                try device(world, ["set-codes", unit.unique, "--serial-code", "SN-2", "--operator", "Kim"]).ending
                    == .exit(0))
            #expect(try world.sql.query(codes) == [["SN-2", "AA:BB:CC:DD:41:AE"]])
            #expect(try connect("SN-2", "41AE") == 200)
            for (arguments, expected) in [
                (["--mac-id", "41"], "mac_id must have at least four"),
                (["--serial-code", "1E+05"], "serial_code is a number"),
                (["--mac-id", ""], "must not be empty"), ([], "--serial-code, --mac-id or both"),
            ] as [([String], String)] {
                let run = try device(world, ["set-codes", unit.unique, "--operator", "Kim"] + arguments)
                #expect(run.ending != .exit(0) && run.errors.contains(expected), "\(arguments): \(run.everything)")
            }
            #expect(try actions(world, unit).map { $0[0] } == ["clear-codes", "set-codes", "set-codes"])
            #expect(
                try actions(world, unit)[0][3]
                    == #"{"mac_id": null, "mac_id_was": "FFFF", "serial_code": null, "serial_code_was": "WRONG"}"#)
            #expect(
                try world.sql.query(
                    """
                    select action, operator, subject, user_id, child_id, count, host = $2, finished_at is not null
                    from access_records where device_id = $1 order by id
                    """, [String(unit.id), ProcessInfo.processInfo.hostName]) == [
                        ["device clear-codes", "Kim", "device \(unit.unique)", nil, nil, "1", "t", "t"],
                        ["device set-codes", "Kim", "device \(unit.unique)", "\(user)", "\(child)", "1", "t", "t"],
                        ["device set-codes", "Kim", "device \(unit.unique)", "\(user)", "\(child)", "1", "t", "t"],
                    ])
        }
    }

    @Test func `rejects what it cannot do, and leaves no record`() async throws {
        try await onThread {
            let world = try World()
            let unit = try world.device()
            for (arguments, expected) in [
                (["show", "no-such-unit", "--operator", "Kim"], "there is no device \"no-such-unit\""),
                (["disconnect", "no-such-unit", "--operator", "Kim"], "there is no device"),
                (["reset-log-counter", "no-such-unit", "--operator", "Kim"], "there is no device"),
                (["disconnect", unit.unique, "--operator", "Kim"], "is not connected"),
                (["show", unit.unique], "--operator is required"),
                (["show", unit.unique, "--operator", ""], "--operator is required"),
                (["reset-log-counter", unit.unique, "--operator", "Kim", "--to", "-1"], "--to"),
                (["reset-log-counter", unit.unique, "--operator", "Kim", "--to", "2147483648"], "--to must be"),
            ] {
                let run = try device(world, arguments)
                #expect(run.ending != .exit(0) && run.errors.contains(expected), "\(arguments): \(run.everything)")
            }
            #expect(try actions(world, unit).isEmpty)
            let empty = try TestDatabase.makeEmpty()
            let run = try device(
                world, ["show", "x", "--operator", "Kim"], database: empty.connectionString)
            #expect(run.ending == .exit(1) && run.errors.contains("run lux-server migrate"), "\(run.errors)")
        }
    }
}
