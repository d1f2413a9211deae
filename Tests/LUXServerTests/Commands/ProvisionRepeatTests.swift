import Foundation
import LUXTestSupport
import Testing

/// lux-server provision: a file again, two at the same time, and a large one.
@Suite struct ProvisionRepeatTests {
    let database: TestDatabase
    let sql: SQLSession

    init() throws {
        database = try TestDatabase.make()
        sql = try database.session()
    }

    private func provision(_ kind: String, _ csv: String, _ options: [String] = []) throws
        -> LUXCommand
    {
        let path = try makeTemporaryFolder("lux-csv") + "/rows.csv"
        try csv.write(toFile: path, atomically: true, encoding: .utf8)
        return try LUXCommand.run(
            ["provision", kind, path] + options, environment: ["DATABASE_URL": database.connectionString])
    }

    /// A kind, a file, and what it becomes when it is loaded first and when again.
    private static let files: [(kind: String, csv: String, first: String, again: String)] = [
        (
            "users", "id,phone_number\n10,010-1234-5678\n,010-1234-5679\n", "loaded 2 users",
            "loaded 0 users; 2 are there already"
        ),
        (
            "users", "phone_number\n01012345670\n01012345679\n", "loaded 1 users; 1 are",
            "loaded 0 users; 2 are there"
        ),
        (
            "children", "root_user_id,first_name,last_name\n10,Jisoo,Kim\n10,Jisoo,\n10,Minjun,Kim\n",
            "loaded 3 children", "loaded 0 children; 3 are there already"
        ),
        (
            "children", "id,root_user_id,first_name\n7,10,Jisoo\n,10,Seoyeon\n", "loaded 2 children",
            "loaded 0 children; 2 are"
        ),
        (
            "devices",
            "unique_id,serial_code,mac_id,real_user_id,created_at\na,S1,41AD,7,2025-01-01 00:00:00Z\nb,,,,\n",
            "loaded 2 devices", "loaded 0 devices; 2 are there already"
        ),
        (
            "devices", "unique_id,serial_code\nb,\nc,S3\n", "loaded 1 devices; 1 are",
            "loaded 0 devices; 2 are"
        ),
    ]

    @Test func `changes nothing when it runs again, whatever the app did meanwhile`() throws {
        let tables = ["users", "real_users", "devices"]
        let contents = tables.map { "select string_agg(row(t.*)::text, ' ' order by id) from \($0) t" }
        let sequences = tables.map { "select last_value from \($0)_id_seq" }
        for (kind, csv, first, again) in Self.files {
            let before = try (contents + sequences).map { try sql.value($0) }
            let dry = try provision(kind, csv, ["--dry-run"])
            #expect(
                dry.output.hasPrefix(first.replacing("loaded", with: "would load", maxReplacements: 1)),
                "\(dry.everything)")
            #expect(try (contents + sequences).map { try sql.value($0) } == before, "\(csv)")
            #expect(try provision(kind, csv).output.hasPrefix(first), "\(csv)")
            if kind == "devices" {
                try sql.query(
                    """
                    update devices set real_user_id = null, device_alias = 'x', last_log_file_id = 9,
                        serial_code = coalesce(serial_code, 'S'), mac_id = coalesce(mac_id, '41AE')
                    """)
            }
            let after = try (contents + sequences).map { try sql.value($0) }
            let run = try provision(kind, csv)
            #expect(run.ending == .exit(0) && run.output.hasPrefix(again), "\(csv) → \(run.everything)")
            #expect(try (contents + sequences).map { try sql.value($0) } == after, "\(csv)")
        }
    }

    @Test func `two loads of one file at the same time add its rows once`() throws {
        let csv = "unique_id\n" + (0..<2_000).map { "twin-\($0)\n" }.joined()
        let path = try makeTemporaryFolder("lux-csv") + "/rows.csv"
        try csv.write(toFile: path, atomically: true, encoding: .utf8)
        let environment = ["DATABASE_URL": database.connectionString]
        let runs = try simultaneously(4) { _ in
            try LUXCommand.run(["provision", "devices", path], environment: environment)
        }
        #expect(runs.map(\.ending) == Array(repeating: .exit(0), count: 4))
        #expect(try sql.integer("select count(*) from devices") == 2_000)
    }

    @Test func `shows no progress without a terminal`() throws {
        #expect(try provision("devices", "unique_id\nquiet\n").errors.isEmpty)
    }

    @Test func `loads ten thousand devices`() throws {
        let rows = (0..<10_000).map { "bulk-\($0),SN\($0),AA:BB:CC:DD:\($0 % 90 + 10):00" }
        let run = try provision(
            "devices", "unique_id,serial_code,mac_id\n" + rows.joined(separator: "\n"))
        #expect(run.ending == .exit(0), "\(run.everything)")
        #expect(try sql.integer("select count(*) from devices") == 10_000)
    }
}
