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

    private func provision(_ kind: String, _ csv: String, _ options: [String] = []) throws
        -> LUXCommand
    {
        let path = try makeTemporaryFolder("lux-csv") + "/rows.csv"
        try csv.write(toFile: path, atomically: true, encoding: .utf8)
        return try LUXCommand.run(
            ["provision", kind, path] + options, environment: ["DATABASE_URL": database.connectionString])
    }

    @Test func `loads devices by RFC 4180, whatever the order of columns and the ends of lines`()
        throws
    {
        let csv =
            "unique_id,mac_id,serial_code\r\n"
            + "plain,41AD,S1\r\n\"quoted,\"\"x\"\"\",,\"S,2\"\r\n"
        let run = try provision("devices", csv)
        #expect(run.ending == .exit(0), "\(run.everything)")
        let rows = try sql.query(
            "select unique_id, mac_id, serial_code, real_user_id from devices order by id")
        #expect(rows == [["plain", "41AD", "S1", nil], ["quoted,\"x\"", nil, "S,2", nil]])
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
            try sql.query("select id, phone_number is null from users order by id") == [
                ["10", "f"], ["20", "t"],
            ])
        #expect(try sql.value("select id from real_users where root_user_id = 10") == "7")
        #expect(try sql.integer("insert into users default values returning id") > 20)
        let next = try sql.integer(
            """
            insert into real_users (root_user_id, first_name, last_name, birthdate, gender)
            values (10, 'a', 'b', '20200101', 'M') returning id
            """)
        #expect(next > 7)
    }

    /// A kind, a file, and what the message must name: the line of the error, and its column where it has one.
    private static let bad: [(kind: String, csv: String, line: Int, column: String?)] = [
        ("devices", "unique_id,serial_code\na,1\nb\n", 3, nil),
        ("devices", "unique_id,serial_code\na,1,2\n", 2, nil),
        ("devices", "unique_id,colour\na,red\n", 1, "colour"),
        ("devices", "unique_id,unique_id\na,b\n", 1, "unique_id"),
        ("devices", "serial_code\nS1\n", 1, "unique_id"),
        ("devices", "unique_id,mac_id\na,1AB2\n,2AB3\n", 3, "unique_id"),
        ("devices", "id,unique_id\n1001,a\nx,b\n", 3, "id"),
        ("devices", "unique_id\na\nb\na\n", 4, "unique_id"),
        ("devices", "unique_id,created_at\na,never\n", 2, "created_at"),
        ("devices", "unique_id,real_user_id\na,999\n", 2, "real_user_id"),
        ("devices", "unique_id\n\"a\nb\n", 2, nil), ("devices", "unique_id\na\"b\n", 2, nil),
        ("devices", "", 1, nil),
        ("users", "id,phone_number\n1,\n1,\n", 3, "id"),
        ("children", "root_user_id,first_name\n1,a\n", 2, "root_user_id"),
    ]

    @Test func `loads all rows or none and reports line and column of the bad one`() throws {
        try sql.query("insert into devices (unique_id) values ('there')")
        for (kind, csv, line, column) in Self.bad {
            let run = try provision(kind, csv)
            #expect(run.ending != .exit(0) && run.ending != nil, "\(csv)")
            let numbers = run.errors.matches(of: /\d+/).map { String($0.output) }
            #expect(numbers.contains(String(line)), "\(csv) → \(run.errors)")
            if let column { #expect(run.errors.contains(column), "\(csv) → \(run.errors)") }
        }
        #expect(try sql.query("select unique_id from devices") == [["there"]])
        #expect(try sql.integer("select count(*) from users") == 0)
        let missing = try LUXCommand.run(
            ["provision", "devices", "/nowhere.csv"],
            environment: ["DATABASE_URL": database.connectionString])
        #expect(missing.ending != .exit(0) && missing.errors.contains("/nowhere.csv"))
    }

    /// A file, and the errors that are reported, in this order. User 1 with child 1, device `there` with id 1.
    private static let several: [(kind: String, csv: String, reported: [String])] = [
        (
            "devices",
            "id,unique_id,real_user_id,created_at\n5,a,x,\n5,b,,never\n6,,1,\n7,c,2,2025-01-01\n8,b,1\n5,d,,\n9,c,,\n1,e,,\n",
            [
                "line 2, column real_user_id: must be a bigint",
                "line 3, column created_at: must be a timestamptz",
                "line 4, column unique_id: is required", "line 5, column real_user_id: names a row",
                "line 6: 3 fields where the header line has 4", "line 7, column id: is on line 3 already",
                "line 8, column unique_id: is on line 5 already", "line 9, column id: is another device's",
            ]
        ),
        (
            "devices", "unique_id,serial_code,mac_id\nthere,S2,41AD\nthere,S1,41AE\nthere,,\n",
            [
                "line 2, column serial_code: differs from the existing row",
                "line 3, column mac_id: differs from the existing row",
                "line 3, column unique_id: is on line 2", "line 4, column unique_id: is on line 2 already",
            ]
        ),
        (
            "devices", "id,unique_id\n2,there\n0,a\n",
            ["line 2, column id: differs from the existing row", "line 3, column id: must be 1"]
        ),
        (
            "devices", "unique_id,size,size\n",
            ["line 1, column size: there is no", "line 1, column size: there is no"]
        ),
        (
            "users", "id,phone_number\n,\n,123\n9,010-1234-5678\n,+82 10 1234 5678\n,01012345678\n\"x\n",
            [
                "line 2, column phone_number: is required in a row without an id",
                "line 3, column phone_number: must be a phone number",
                "line 5, column phone_number: is on line 4 already",
                "line 6, column phone_number: is on line 4 already",
                "line 7: a quotation mark that is not closed",
            ]
        ),
        (
            "children",
            "id,root_user_id,first_name,gender\n,1,,F\n,1,a,F\n,1,a,M\n,1,a,F\n1,2,b,\n,3,c,\n",
            [
                "line 2, column first_name: is required", "line 5, column first_name: is on line 3 already",
                "line 6, column root_user_id: differs from the existing row",
                "line 7, column root_user_id: names a row",
            ]
        ),
    ]

    @Test func `reports every bad row with line and column`() throws {
        try sql.script(
            """
            insert into users (id) values (1), (2);
            insert into real_users (id, root_user_id) values (1, 1);
            insert into devices (unique_id, serial_code, mac_id) values ('there', 'S1', '41AD')
            """)
        for (kind, csv, reported) in Self.several {
            let run = try provision(kind, csv)
            #expect(run.ending == .exit(1))
            let lines = run.errors.split(separator: "\n").filter { $0.contains("rows.csv") }
            #expect(lines.count == reported.count, "\(csv) → \(run.errors)")
            for (line, part) in zip(lines, reported) {
                #expect(line.contains("rows.csv: \(part)"), "\(run.errors)")
            }
        }
        #expect(try sql.query("select count(*), max(unique_id) from devices") == [["1", "there"]])
        #expect(try sql.query("select count(*) from users") == [["2"]])
    }

    private static let badCodes: [(column: String, code: String)] = [
        ("mac_id", "41"), ("mac_id", "a:b-c. "), ("mac_id", "1.20E+04"), ("mac_id", "#N/A"),
        ("serial_code", "#REF!"),
        ("serial_code", "1E+05"), ("serial_code", "####"), ("serial_code", " S1"),
        ("serial_code", "S1\t"),
        ("serial_code", "S 1"), ("serial_code", "S\u{a0}1"), ("mac_id", "41\u{200b}AD"),
        ("mac_id", "41AD\u{feff}"),
        ("serial_code", "S\n1"), ("serial_code", "S\u{7f}"), ("serial_code", "S\u{e0041}1"),
        ("serial_code", "S\u{3164}1"),
    ]

    @Test func `rejects codes that no app can send, with line and column`() throws {
        let rows = Self.badCodes.enumerated().map { index, bad in
            let code = "\"\(bad.code)\""
            return bad.column == "mac_id" ? "u\(index),,\(code)" : "u\(index),\(code),"
        }
        // A line feed in a code adds a line.
        let run = try provision(
            "devices", "unique_id,serial_code,mac_id\n" + rows.joined(separator: "\n"))
        #expect(run.ending == .exit(1))
        var line = 2
        for bad in Self.badCodes {
            #expect(
                run.errors.contains("line \(line), column \(bad.column): "), "\(bad) in \(run.errors)")
            line += bad.code.contains("\n") ? 2 : 1
        }
        for bad in ["a b", " a", "a\u{200b}"] {
            #expect(
                try provision("devices", "unique_id\n\(bad)").errors.contains("line 2, column unique_id: "))
        }
        #expect(try sql.integer("select count(*) from devices") == 0)
    }

    @Test func `warns of what is likely to be a mistake and loads it`() throws {
        let devices = try provision("devices", "unique_id,mac_id\na,test1234\nb,aa:bb cc-dd.ee:ff\n")
        #expect(devices.ending == .exit(0))
        #expect(devices.errors.contains("warning: line 2, column mac_id: is not hexadecimal"))
        #expect(!devices.errors.contains("line 3"))
        #expect(try provision("users", "id,phone_number\n1,\n").ending == .exit(0))
        let children = try provision(
            "children", "root_user_id,first_name,birthdate,gender\n1,a,1997-01-01,X\n1,b,19970101,M\n")
        #expect(children.ending == .exit(0))
        #expect(
            children.errors.contains("line 2, column birthdate: ")
                && children.errors.contains("column gender: "))
        #expect(!children.errors.contains("line 3"))
    }

    @Test func `recognizes damage that spreadsheets do to files`() throws {
        #expect(try provision("devices", "unique_id;mac_id\na;41AD\n").errors.contains("semicolons"))
        let folder = try makeTemporaryFolder("lux-csv")
        for (name, bytes, word) in [
            ("utf16.csv", [0xFF, 0xFE, 0x75, 0x00], "UTF-16"),
            ("cp949.csv", Array("unique_id\n".utf8) + [0xC7, 0xD1], "CP949"),
        ] as [(String, [UInt8], String)] {
            try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
            let run = try LUXCommand.run(
                ["provision", "devices", folder + "/" + name],
                environment: ["DATABASE_URL": database.connectionString])
            #expect(run.ending == .exit(1) && run.errors.contains(word), "\(run.errors)")
        }
        let missing = try LUXCommand.run(
            ["provision", "devices", folder + "/none.csv"],
            environment: ["DATABASE_URL": database.connectionString])
        #expect(missing.errors.contains("No such file"))
        let directory = try LUXCommand.run(
            ["provision", "devices", folder], environment: ["DATABASE_URL": database.connectionString])
        #expect(
            directory.ending == .exit(1) && directory.errors.contains("cannot be read: Is a directory"))
    }

    @Test func `reads a pipe and standard input`() throws {
        let folder = try makeTemporaryFolder("lux-csv")
        let program = Locations.server
        for (id, command) in [
            ("a", "printf 'unique_id\\na\\n' | \(program) provision devices -"),
            (
                "b",
                "mkfifo \(folder)/p; printf 'unique_id\\nb\\n' > \(folder)/p & \(program) provision devices \(folder)/p"
            ),
        ] {
            let shell = try ChildProcess(
                "sh", ["-c", command],
                environment: ["DATABASE_URL": database.connectionString, "PATH": Locations.path])
            #expect(shell.wait(seconds: 30) == .exit(0), "\(shell.errors)")
            #expect(try sql.integer("select count(*) from devices where unique_id = '\(id)'") == 1)
        }
    }

    @Test(arguments: [("unique_id,mac_id", "x"), ("unique_id,id", "y,7")])
    func `reports the first hundred bad rows of a file that is all wrong`(
        _ header: String, _ row: String
    ) throws {
        let rows = Array(repeating: row, count: 5_000)
        let run = try provision("devices", ([header] + rows).joined(separator: "\n"))
        let lines = run.errors.split(separator: "\n")
        #expect(lines.filter { $0.contains("rows.csv: line ") }.count == 100)
        #expect(run.errors.contains("there are more; the first 100 are reported"))
        #expect(try sql.integer("select count(*) from devices") == 0)
    }
}
