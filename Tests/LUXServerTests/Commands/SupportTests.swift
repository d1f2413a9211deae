import Foundation
import LUXTestSupport
import Testing

/// lux-server device show, disconnect, reset-log-counter
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

    private func actions(_ world: World, _ device: World.Device) throws -> [[String?]] {
        try world.sql.query(
            "select action, operator, unique_id, detail from support_actions where device_id = $1 order by id",
            [String(device.id)])
    }

    @Test func `shows what a device is, who has it and its logs, and writes down who looked`() async throws {
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
            for line in [
                "id: \(unit.id)", "unique_id: \(unit.unique)", "serial_code: SN-1", "mac_id: 41AD", "project: LUX",
                "hardware: LUX-H1", "firmware: 1.4.2", "real_user_id: \(owner)", "root_user_id: \(user)",
                "last_log_file_id: 21", "highest stored log_file_id: 21", "complete logs: 2", "temporary logs: 1",
            ] { #expect(run.output.split(separator: "\n").contains { $0 == line }, "\(line): \(run.output)") }
            let again = try device(world, ["show", unit.unique], environment: ["USER": "root", "SUDO_USER": "lee"])
            #expect(again.output.contains(" Kim show {}"), "\(again.output)")
            #expect(try actions(world, unit) == ["Kim", "lee"].map { ["show", $0, unit.unique, "{}"] })
            let plain = try device(world, ["show", try world.device().unique], environment: ["USER": "root"])
            #expect(plain.output.contains("connected_at: none") && plain.errors.contains(#""operator":"root""#))
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
            func lines() throws -> [String] {
                try device(world, ["show", unit.unique, "--operator", "Kim"]).output.split(separator: "\n")
                    .map { String($0) }
            }
            for line in ["holes since the last restart", "counter restarts", "numbers stored more than once"] {
                #expect(try lines().contains("\(line): none"))
            }
            for (day, file) in [(12, 1), (13, 2), (14, 4), (15, 8), (16, 8)] { try upload(day, Int64(file)) }
            let found = try lines()
            for line in [
                "holes since the last restart: 3, 5-7", "counter restarts: 2025-02-12T00:00:00Z (501 to 1)",
                "numbers stored more than once: 8 (2 times)", "last_log_file_id: 8",
                "highest stored log_file_id: 501", "complete logs: 7",
            ] { #expect(found.contains(line), "\(line): \(found)") }
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
            #expect(try actions(world, unit) == [["disconnect", "Kim", unit.unique, #"{"real_user_id": \#(child)}"#]])
            let line = try #require(run.errors.split(separator: "support action ").last)
            #expect(JSONValue(String(line))?["operator"] == .string("Kim"), "\(run.errors)")
            let again = try device(world, ["disconnect", unit.unique, "--operator", "Kim"])
            #expect(again.ending == .exit(1) && again.errors.contains("is connected to nobody"))
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
                #expect(run.ending == .exit(0) && run.output.contains("is \(number)"), "\(run.everything)")
                #expect(try world.lastLogFileID(of: unit) == Int64(number))
            }
            #expect(try world.logs(of: unit) == logs)
            #expect(
                try actions(world, unit).map { $0.last ?? nil } == [
                    #"{"to": 0, "from": 2000000000}"#, #"{"to": 41, "from": 0}"#, #"{"to": 2147483647, "from": 41}"#,
                ])
            _ = try device(world, ["reset-log-counter", unit.unique, "--operator", "Kim"])
            try upload(1, day: 2)
            #expect(try world.lastLogFileID(of: unit) == 1)
        }
    }

    @Test func `waits for an upload that is under way`() async throws {
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
            #expect(process.output.contains("was 9 and is 3"), "\(process.output)")
        }
    }

    @Test func `refuses what it cannot do, and leaves no audit line`() async throws {
        try await onThread {
            let world = try World()
            let unit = try world.device()
            for (arguments, said) in [
                (["show", "no-such-unit", "--operator", "Kim"], "there is no device \"no-such-unit\""),
                (["disconnect", "no-such-unit", "--operator", "Kim"], "there is no device"),
                (["reset-log-counter", "no-such-unit", "--operator", "Kim"], "there is no device"),
                (["disconnect", unit.unique, "--operator", "Kim"], "is connected to nobody"),
                (["show", unit.unique], "--operator is required"),
                (["show", unit.unique, "--operator", ""], "--operator is required"),
                (["reset-log-counter", unit.unique, "--operator", "Kim", "--to", "-1"], "--to"),
                (["reset-log-counter", unit.unique, "--operator", "Kim", "--to", "2147483648"], "--to must be"),
            ] {
                let run = try device(world, arguments)
                #expect(run.ending != .exit(0) && run.errors.contains(said), "\(arguments): \(run.everything)")
            }
            #expect(try actions(world, unit).isEmpty)
            let empty = try TestDatabase.makeEmpty()
            let run = try device(
                world, ["show", "x", "--operator", "Kim"], database: empty.connectionString)
            #expect(run.ending == .exit(1) && run.errors.contains("run lux-server migrate"), "\(run.errors)")
        }
    }
}
