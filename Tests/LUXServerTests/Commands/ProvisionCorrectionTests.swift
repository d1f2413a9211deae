import Foundation
import LUXTestSupport
import Testing

/// lux-server provision devices --update, --replace-codes
@Suite struct ProvisionCorrectionTests {
    let database: TestDatabase
    let sql: SQLSession

    init() throws {
        database = try TestDatabase.make()
        sql = try database.session()
        try sql.script(
            """
            insert into users (id) values (1);
            insert into real_users (id, root_user_id) values (7, 1);
            insert into devices (unique_id, serial_code, mac_id, project_id, real_user_id) values
                ('free', 'S1', '41AD', 1, null), ('connected', 'S2', '41AE', 1, 7), ('same', 'S3', '41AF', 1, null)
            """)
    }

    private static let csv = """
        unique_id,serial_code,mac_id
        free,S1-new,41AD
        connected,S2-new,41FF
        same,S3,
        new,S4,41B0

        """

    private func provision(_ csv: String, _ options: [String]) throws -> LUXCommand {
        let path = try makeTemporaryFolder("lux-csv") + "/rows.csv"
        try csv.write(toFile: path, atomically: true, encoding: .utf8)
        return try LUXCommand.run(
            ["provision", "devices", path, "--operator", "Kim"] + options,
            environment: ["DATABASE_URL": database.connectionString])
    }

    private func devices() throws -> [String] {
        try sql.query(
            "select concat_ws(' ', unique_id, serial_code, mac_id, project_id) from devices order by id"
        )
        .compactMap { $0.first ?? nil }
    }

    private static let before = ["free S1 41AD 1", "connected S2 41AE 1", "same S3 41AF 1"]

    @Test
    func
        `corrects devices that are not connected, and connected ones when their codes are to be replaced`()
        throws
    {
        let plain = try provision(Self.csv, [])
        #expect(
            plain.ending == .exit(1)
                && plain.errors.contains(
                    "line 2, column serial_code: differs from the existing row; --update")
        )
        let update = try provision(Self.csv, ["--update"])
        #expect(update.ending == .exit(1) && !update.errors.contains("line 2"))
        #expect(
            update.errors.contains(
                "line 3, column mac_id: differs from the existing row, whose device is connected; --replace-codes"
            ))
        let codes = try provision(Self.csv, ["--replace-codes"])
        #expect(
            codes.ending == .exit(1) && codes.errors.contains("line 2, ")
                && !codes.errors.contains("line 3"))
        #expect(try devices() == Self.before)

        let difference = """
            line 2, device free: serial_code S1 -> S1-new
            line 3, device connected: mac_id 41AE -> 41FF
            line 3, device connected: serial_code S2 -> S2-new

            """
        let dry = try provision(Self.csv, ["--update", "--replace-codes", "--dry-run"])
        #expect(
            dry.ending == .exit(0)
                && dry.output == difference + "would load 1 devices; 3 are there already\n",
            "\(dry.everything)")
        #expect(try devices() == Self.before)
        #expect(try sql.integer("select count(*) from support_actions") == 0)

        let run = try provision(Self.csv, ["--update", "--replace-codes"])
        #expect(run.ending == .exit(0), "\(run.everything)")
        #expect(
            run.output == difference
                + "loaded 1 devices; 1 are there already and stay as they are; corrected 2\n",
            "\(run.output)")
        #expect(
            try devices() == [
                "free S1-new 41AD 1", "connected S2-new 41FF 1", "same S3 41AF 1", "new S4 41B0",
            ])
        #expect(
            try sql.query("select unique_id, action, operator, detail from support_actions order by id")
                == [
                    ["free", "provision", "Kim", #"{"serial_code": {"to": "S1-new", "from": "S1"}}"#],
                    [
                        "connected", "provision", "Kim",
                        #"{"mac_id": {"to": "41FF", "from": "41AE"}, "serial_code": {"to": "S2-new", "from": "S2"}, "real_user_id": 7}"#,
                    ],
                ])
        #expect(
            try sql.query(
                "select action, operator, subject, count, finished_at is not null from access_records") == [
                    ["provision devices", "Kim", "devices of rows.csv", "3", "t"]
                ])
        let again = try provision(Self.csv, ["--update", "--replace-codes"])
        #expect(
            again.output == "loaded 0 devices; 4 are there already and stay as they are\n",
            "\(again.everything)")
        #expect(try sql.integer("select count(*) from support_actions") == 2)
    }

    @Test func `never corrects ids, and of connected devices only codes`() throws {
        for (csv, expected) in [
            ("id,unique_id\n9,free\n", "line 2, column id: differs from the existing row"),
            (
                "unique_id,project_id\nconnected,5\n",
                "line 2, column project_id: differs from the existing row, whose device is connected"
            ),
        ] {
            let run = try provision(csv, ["--update", "--replace-codes"])
            #expect(run.ending == .exit(1) && run.errors.contains(expected), "\(run.everything)")
        }
        #expect(try devices() == Self.before)
        let run = try provision("unique_id,project_id,hardware_id\nfree,5,\n", ["--update"])
        #expect(run.ending == .exit(0), "\(run.everything)")
        #expect(try devices()[0] == "free S1 41AD 5")
        let users = try LUXCommand.run(
            ["provision", "users", "-", "--update"],
            environment: ["DATABASE_URL": database.connectionString])
        #expect(users.ending != .exit(0) && users.errors.contains("are for devices"))
    }

    @Test func `rejects a device that is connected while it waits`() throws {
        let other = try database.session()
        try other.script("begin; update devices set real_user_id = 7 where unique_id = 'free'")
        let path = try makeTemporaryFolder("lux-csv") + "/rows.csv"
        try "unique_id,serial_code\nfree,S9\n".write(toFile: path, atomically: true, encoding: .utf8)
        let process = try ChildProcess(
            Locations.server, ["provision", "devices", path, "--update"],
            environment: LUXCommand.environment(["DATABASE_URL": database.connectionString]))
        #expect(process.wait(seconds: 1) == nil)
        try other.script("commit")
        #expect(process.wait() == .exit(1), "\(process.output)")
        #expect(process.errors.contains("whose device is connected"), "\(process.errors)")
    }

    @Test func `needs no more memory for a larger file`() throws {
        let path = try makeTemporaryFolder("lux-csv") + "/rows.csv"
        // 30 MB.
        let rows = (0..<10_000).map { "unit-\($0),\(String(repeating: "x", count: 3_000))" }
        try ("unique_id,device_alias\n" + rows.joined(separator: "\n"))
            .write(toFile: path, atomically: true, encoding: .utf8)
        let process = try ChildProcess(
            Locations.server, ["provision", "devices", path],
            environment: LUXCommand.environment(["DATABASE_URL": database.connectionString]))
        var peak = 0
        while process.isRunning {
            peak = max(peak, ProcessUsage(of: process.pid).memory)
            Thread.sleep(forTimeInterval: 0.01)
        }
        #expect(process.wait() == .exit(0), "\(process.errors)")
        #expect(peak > 0 && peak < 100_000 * Sanitizer.factor, "\(peak) KiB")
        #expect(try sql.integer("select count(*) from devices where unique_id like 'unit-%'") == 10_000)
    }
}
