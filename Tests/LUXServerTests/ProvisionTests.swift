import Foundation
import LUXTestSupport
import Testing

/// lux-server provision
@Suite struct ProvisionTests {
    let database: TestDatabase
    let sql: SQLSession

    init() throws {
        database = try TestDatabase.make()
        sql = try database.session()
    }

    private func provision(_ kind: String, _ csv: String) throws -> LUXCommand {
        let path = try makeTemporaryFolder("lux-csv") + "/rows.csv"
        try csv.write(toFile: path, atomically: true, encoding: .utf8)
        return try LUXCommand.run(
            ["provision", kind, path], environment: ["DATABASE_URL": database.connectionString])
    }

    @Test func `loads devices by RFC 4180, whatever the order of columns and the ends of lines`() throws {
        let csv =
            "unique_id,mac_id,serial_code\r\n"
            + "plain,41AD,S1\r\n\"quoted, \"\"x\"\"\",,\"line\r\nbreak\"\r\n"
        let run = try provision("devices", csv)
        #expect(run.ending == .exit(0), "\(run.everything)")
        let rows = try sql.query("select unique_id, mac_id, serial_code, real_user_id from devices order by id")
        #expect(rows == [["plain", "41AD", "S1", nil], ["quoted, \"x\"", nil, "line\r\nbreak", nil]])
        #expect(try provision("devices", "serial_code,unique_id\nS3,한글\nS4,last").ending == .exit(0))
        #expect(try sql.integer("select count(*) from devices") == 4)
    }

    @Test func `loads users and children with ids, and later ids go on after the highest`() throws {
        let users = try provision("users", "id,phone_number\n10,010-1234-5678\n20,\n")
        #expect(users.ending == .exit(0), "\(users.everything)")
        let children = try provision(
            "children",
            "id,root_user_id,first_name,last_name,birthdate,gender\n7,10,Jisoo,Kim,20190305,F\n")
        #expect(children.ending == .exit(0), "\(children.everything)")
        #expect(
            try sql.query("select id, phone_number is null from users order by id") == [["10", "f"], ["20", "t"]])
        #expect(try sql.value("select id from real_users where root_user_id = 10") == "7")
        #expect(try sql.integer("insert into users default values returning id") > 20)
        let next = try sql.integer(
            """
            insert into real_users (root_user_id, first_name, last_name, birthdate, gender)
            values (10, 'a', 'b', '20200101', 'M') returning id
            """)
        #expect(next > 7)
    }

    /// A kind, a file, and what the message must name: the line of the fault, and its column where it has one.
    private static let bad: [(kind: String, csv: String, line: Int, column: String?)] = [
        ("devices", "unique_id,serial_code\na,1\nb\n", 3, nil), ("devices", "unique_id,serial_code\na,1,2\n", 2, nil),
        ("devices", "unique_id,colour\na,red\n", 1, "colour"),
        ("devices", "unique_id,unique_id\na,b\n", 1, "unique_id"),
        ("devices", "serial_code\nS1\n", 1, "unique_id"), ("devices", "unique_id,mac_id\na,1\n,2\n", 3, "unique_id"),
        ("devices", "id,unique_id\n1001,a\nx,b\n", 3, "id"), ("devices", "unique_id\na\nb\na\n", 4, "unique_id"),
        ("devices", "unique_id,created_at\na,never\n", 2, "created_at"),
        ("devices", "unique_id,real_user_id\na,999\n", 2, "real_user_id"),
        ("devices", "unique_id\n\"a\nb\n", 2, nil), ("devices", "unique_id\na\"b\n", 2, nil), ("devices", "", 1, nil),
        ("users", "id,phone_number\n1,\n1,\n", 3, "id"),
        ("children", "root_user_id,first_name\n1,a\n", 2, "root_user_id"),
    ]

    @Test func `loads all rows or none and says line and column of the bad one`() throws {
        try sql.query("insert into devices (unique_id) values ('there')")
        for (kind, csv, line, column) in Self.bad {
            let run = try provision(kind, csv)
            #expect(run.ending != .exit(0) && run.ending != nil, "\(csv)")
            let said = run.errors.matches(of: /\d+/).map { String($0.output) }
            #expect(said.contains(String(line)), "\(csv) → \(run.errors)")
            if let column { #expect(run.errors.contains(column), "\(csv) → \(run.errors)") }
        }
        #expect(try sql.query("select unique_id from devices") == [["there"]])
        #expect(try sql.integer("select count(*) from users") == 0)
        let missing = try LUXCommand.run(
            ["provision", "devices", "/nowhere.csv"], environment: ["DATABASE_URL": database.connectionString])
        #expect(missing.ending != .exit(0) && missing.errors.contains("/nowhere.csv"))
    }

    @Test func `loads ten thousand devices`() throws {
        let rows = (0..<10_000).map { "bulk-\($0),SN\($0),AA:BB:CC:DD:\($0 % 90 + 10):00" }
        let run = try provision("devices", "unique_id,serial_code,mac_id\n" + rows.joined(separator: "\n"))
        #expect(run.ending == .exit(0), "\(run.everything)")
        #expect(try sql.integer("select count(*) from devices") == 10_000)
    }
}
