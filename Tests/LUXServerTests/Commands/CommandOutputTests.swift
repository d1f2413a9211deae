import Foundation
import LUXTestSupport
import Testing

/// The output of commands for programs
@Suite struct CommandOutputTests {
    /// What prints no table: a server, a token, streams of rows, and the lines of `alimtalk`.
    private static let withoutTable: Set = [
        "serve", "dev", "token", "export logs", "export oversized", "user export", "child export", "alimtalk test",
        "alimtalk reconcile", "alimtalk settle", "alimtalk report",
    ]

    /// Each command with the names of its options.
    static func commands() throws -> [(path: String, options: [String])] {
        let dump = try LUXCommand.run(["--experimental-dump-help"]).output
        return leaves(try #require(JSONValue(dump)?["command"]))
    }

    private static func leaves(_ command: JSONValue, _ path: [String] = []) -> [(path: String, options: [String])] {
        let below = (command["subcommands"]?.items ?? []).filter { $0["commandName"]?.string != "help" }
        guard below.isEmpty else {
            return below.flatMap { leaves($0, path + [$0["commandName"]?.string ?? ""]) }
        }
        let names = (command["arguments"]?.items ?? []).flatMap { $0["names"]?.items ?? [] }
        return [(path.joined(separator: " "), names.compactMap { $0["name"]?.string })]
    }

    @Test func `each command that prints a table has --json`() throws {
        let commands = try Self.commands()
        #expect(commands.count > 15)
        for command in commands where !Self.withoutTable.contains(command.path) {
            #expect(command.options.contains("json"), "\(command.path)")
        }
        #expect(Self.withoutTable.isSubset(of: commands.map(\.path)))
    }

    @Test func `migrate prints what was applied and what is not as an object`() throws {
        let database = try TestDatabase.makeEmpty()
        func migrate(_ options: String...) throws -> JSONValue {
            let run = try LUXCommand.run(
                ["migrate", "--json"] + options, environment: ["DATABASE_URL": database.connectionString])
            #expect(run.ending == .exit(0), "\(run.everything)")
            return try #require(JSONValue(run.output))
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: Locations.migrations).sorted()
        for appliesNow in [false, true] {
            if appliesNow {
                #expect(try migrate()["applied"]?.items?.map(\.string) == names)
                #expect(try migrate()["applied"]?.items?.isEmpty == true)
            }
            let status = try migrate("--status")
            #expect(status["migrations"]?.items?.map { $0["name"]?.string } == names)
            for row in status["migrations"]?.items ?? [] {
                #expect((row["applied_at"]?.string != nil) == appliesNow, "\(row)")
            }
            #expect(status["invalid_indexes"]?.items?.isEmpty == true)
        }
    }

    @Test func `config check prints variables, errors and warnings as an object, and no secret`() throws {
        let run = try LUXCommand.run(
            ["config", "check", "--json"],
            environment: [
                "DATABASE_URL": "postgresql://lux:hidden@127.0.0.1:1/lux", "LUX_JWT_SECRET": Token.secret,
                "LUX_PROT": "1",
            ])
        #expect(run.ending == .exit(78))
        #expect(!run.everything.contains("hidden") && !run.everything.contains(Token.secret))
        let report = try #require(JSONValue(run.output))
        let rows = report["variables"]?.items ?? []
        func row(_ name: String) -> JSONValue? { rows.first { $0["name"]?.string == name } }
        #expect(row("LUX_JWT_SECRET")?["value"]?.string == "****")
        #expect(row("LUX_JWT_SECRET")?["source"]?.string == "environment")
        #expect(row("LUX_DB_POOL")?["value"]?.string == "8" && row("LUX_DB_POOL")?["source"]?.string == "default")
        let errors = report["errors"]?.items ?? []
        #expect(errors.map { $0["variable"]?.string } == ["LUX_PROT"])
        #expect(errors.first?["reason"]?.string == "unknown variable")
    }

    @Test func `provision prints counts and warnings as an object, and differences beside it`() throws {
        let database = try TestDatabase.make()
        let path = try makeTemporaryFolder() + "/devices.csv"
        func provision(_ rows: String, _ options: String...) throws -> LUXCommand {
            try ("unique_id,serial_code,mac_id\n" + rows).write(toFile: path, atomically: true, encoding: .utf8)
            let run = try LUXCommand.run(
                ["provision", "devices", path, "--json"] + options,
                environment: ["DATABASE_URL": database.connectionString])
            #expect(run.ending == .exit(0), "\(run.everything)")
            return run
        }
        let first = try #require(JSONValue(provision("one,SN-1,41AD\ntwo,SN-2,test1234\n").output))
        #expect(first["kind"]?.string == "devices" && first["loaded"]?.integer == 2 && first["present"]?.integer == 0)
        #expect(first["warnings"]?.items?.count == 1)
        let dry = try provision("one,SN-9,41AD\nthree,SN-3,41AE\n", "--update", "--dry-run")
        let counts = try #require(JSONValue(dry.output))
        #expect(counts["would_load"]?.integer == 1 && counts["present"]?.integer == 1)
        #expect(dry.errors.contains("SN-9"), "\(dry.errors)")
    }
}
