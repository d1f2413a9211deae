import Foundation
import LUXTestSupport
import Testing

@testable import LUXOperations

/// lux-server export logs
@Suite struct ExportTests {
    let database: TestDatabase
    let sql: SQLSession

    init() throws {
        database = try TestDatabase.make()
        sql = try database.session()
        try sql.script(
            """
            insert into users (id) values (1);
            insert into real_users (id, root_user_id) values (1, 1);
            insert into devices (id, unique_id, real_user_id) values (1, 'unit "1", first', 1);
            """)
    }

    private func export(_ arguments: [String], zone: String = "Asia/Seoul") throws -> LUXCommand {
        try LUXCommand.run(
            ["export", "logs"] + arguments,
            environment: ["DATABASE_URL": database.connectionString, "LUX_TIMEZONE": zone])
    }

    private func store(_ times: [String]) throws {
        for time in times {
            try sql.query(
                """
                insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, last_intensity,
                    treatment_time, detail_data, created_at, updated_at)
                values (1, 1, 7, $1, 1, 2, 60, '{"note": "a\\nb, \\"c\\""}', '2025-03-01Z', '2025-03-01T01:02:03.5Z')
                """, [time])
        }
    }

    @Test func `writes each column of a log`() throws {
        try store(["2025-02-01T00:00:00.123456Z"])
        try sql.query(
            """
            insert into device_logs (id, device_id, real_user_id, treatment_date, created_at, updated_at)
            values (9, 1, 1, '2025-02-02Z', '2025-03-01Z', '2025-03-01Z')
            """)
        let csv = try export(["--from", "2025-02-01", "--to", "2025-03-01"])
        #expect(csv.ending == .exit(0))
        #expect(csv.errors == "lux-server: exported 2 logs\n")
        #expect(
            csv.output == #"""
                id,device_id,unique_id,real_user_id,log_file_id,treatment_date,finish_flag,last_intensity,treatment_time,\#
                detail_data,created_at,updated_at,temp_treatment_date\#r
                1,1,"unit ""1"", first",1,7,2025-02-01T00:00:00.123456Z,1,2,60,"{""note"": ""a\nb, \""c\""""}",\#
                2025-03-01T00:00:00.000000Z,2025-03-01T01:02:03.500000Z,\#r
                9,1,"unit ""1"", first",1,,2025-02-02T00:00:00.000000Z,,,,,\#
                2025-03-01T00:00:00.000000Z,2025-03-01T00:00:00.000000Z,\#r

                """#)
        let lines = try export(["--from", "2025-02-01", "--to", "2025-03-01", "--format", "jsonl"])
        #expect(
            lines.output == #"""
                {"id":1,"device_id":1,"unique_id":"unit \"1\", first","real_user_id":1,"log_file_id":7,\#
                "treatment_date":"2025-02-01T00:00:00.123456Z","finish_flag":1,"last_intensity":2,"treatment_time":60,\#
                "detail_data":{"note": "a\nb, \"c\""},"created_at":"2025-03-01T00:00:00.000000Z",\#
                "updated_at":"2025-03-01T01:02:03.500000Z","temp_treatment_date":null}
                {"id":9,"device_id":1,"unique_id":"unit \"1\", first","real_user_id":1,"log_file_id":null,\#
                "treatment_date":"2025-02-02T00:00:00.000000Z","finish_flag":null,"last_intensity":null,\#
                "treatment_time":null,"detail_data":null,"created_at":"2025-03-01T00:00:00.000000Z",\#
                "updated_at":"2025-03-01T00:00:00.000000Z","temp_treatment_date":null}

                """#)
    }

    /// A zone, the span, and which of the logs 1 to 4 are in it.
    private static let spans: [(zone: String, from: String, to: String, logs: [String])] = [
        ("UTC", "2025-01-01", "2025-01-02", ["1", "2"]), ("UTC", "2025-01-02", "2025-01-03", ["3", "4"]),
        ("Asia/Seoul", "2025-01-01", "2025-01-02", ["1"]), ("Asia/Seoul", "2025-01-02", "2025-01-03", ["2", "3"]),
        ("UTC", "2025-01-01T00:00:00.000001", "2025-01-02T00:00:00", ["2"]),
        ("UTC", "2025-01-02T09:00:00+09:00", "2025-01-02 00:00:01Z", ["3"]), ("UTC", "2030-01-01", "2031-01-01", []),
    ]

    @Test func `a span has its first time and not its last, on the clocks of LUX_TIMEZONE`() throws {
        try store(["2025-01-01T00:00:00Z", "2025-01-01T15:00:00Z", "2025-01-02T00:00:00Z", "2025-01-02T15:00:00Z"])
        for (zone, from, to, logs) in Self.spans {
            let run = try export(["--from", from, "--to", to], zone: zone)
            let ids = run.output.split(separator: "\r\n").dropFirst().map { String($0.prefix { $0 != "," }) }
            #expect(ids == logs, "\(zone) \(from) \(to)")
        }
    }

    @Test func `writes the logs of a child, of a device or of an account alone`() throws {
        try sql.script(
            """
            update devices set unique_id = 'first' where id = 1;
            insert into users (id) values (2);
            insert into real_users (id, root_user_id) values (2, 1), (3, 2);
            insert into devices (id, unique_id) values (2, 'second');
            insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag)
            select d, c, d * 10 + c, '2025-02-01', 1 from unnest(array[1, 2]) d, unnest(array[1, 2, 3]) c order by d, c
            """)
        let all = ["11", "12", "13", "21", "22", "23"]
        for (arguments, files) in [
            ([], all), (["--child", "2"], ["12", "22"]), (["--device", "second"], ["21", "22", "23"]),
            (["--account", "1"], ["11", "12", "21", "22"]), (["--account", "2"], ["13", "23"]),
            (["--child", "3", "--device", "second"], ["23"]), (["--child", "3", "--account", "1"], []),
            (["--device", "none"], []), (["--child", "99"], []),
        ] as [([String], [String])] {
            let run = try export(["--from", "2025-01-01", "--to", "2026-01-01"] + arguments)
            let found = run.output.split(separator: "\r\n").dropFirst().compactMap { line in
                line.split(separator: ",", omittingEmptySubsequences: false).dropFirst(4).first
            }
            #expect(run.ending == .exit(0))
            #expect(found.map(String.init) == files, "\(arguments): \(run.output)")
        }
    }

    @Test func `CSV can be safe for spreadsheets and begin with a byte order mark`() throws {
        for (id, unique) in [(2, "=1+1"), (3, "+82"), (4, "-x"), (5, "@a,b"), (6, "plain=")] {
            try sql.query("insert into devices (id, unique_id) values ($1, $2)", [String(id), unique])
            try sql.query(
                "insert into device_logs (device_id, real_user_id, treatment_date) values ($1, 1, '2025-02-01')",
                [String(id)])
        }
        let span = ["--from", "2025-01-01", "--to", "2026-01-01"]
        let run = try export(span + ["--spreadsheet-safe", "--bom"])
        #expect(Array(run.output.utf8.prefix(5)) == [0xEF, 0xBB, 0xBF] + Array("id".utf8))
        for cell in [",'=1+1,", ",'+82,", ",'-x,", #","'@a,b","#, ",plain=,"] {
            #expect(run.output.contains(cell), "\(cell): \(run.output)")
        }
        let plain = try export(span)
        #expect(plain.output.hasPrefix("id,") && plain.output.contains(",=1+1,"))
        let lines = try export(span + ["--format", "jsonl", "--bom"])
        #expect(lines.ending != .exit(0) && lines.errors.contains("--format csv"))
    }

    @Test func `the longest numbers that an upload may have are exported and dumped`() throws {
        let database = try TestDatabase.make()
        let world = try World(database, try TestServer(database))
        let (user, child, device) = try world.family()
        // The widest number, as often as 64 KiB of stored digits hold it.
        let numbers = Array(repeating: "1e308", count: 200).joined(separator: ",")
        let records = (10..<70).map { second in
            World.record(
                child: child, device: device,
                date: "2025-03-01T10:0\(second / 60):\(second % 60 + (second < 60 ? 0 : 10))Z",
                flag: 1, file: Int64(second), more: ",\"numbers\":[\(numbers)]")
        }
        for _ in 0..<2 { #expect(try world.upload(records, as: user).status == 200) }
        let url = database.connectionString
        let exported = try LUXCommand.run(
            ["export", "logs", "--from", "2025-01-01", "--to", "2026-01-01", "--device", device.unique],
            environment: ["DATABASE_URL": url])
        #expect(exported.ending == .exit(0) && exported.output.utf8.count > 3_600_000, "\(exported.errors)")
        let folder = try #require(Locations.postgresPrograms)
        let dump = try ChildProcess("\(folder)/pg_dump", ["--data-only", "--file=/dev/null", url])
        #expect(dump.wait(seconds: 60) == .exit(0), "\(dump.errors)")
        world.server.stop()
    }

    @Test func `finds logs with numbers that a backup or an export cannot write`() throws {
        try store(["2025-02-01T00:00:00Z"])
        for (day, value) in [
            (1, "1e308"), (2, "1e131071"), (3, "-1e309"), (4, "1e-400"), (5, "0e-16383"), (6, "-1.5e-300"), (7, "0.0"),
            (8, #"{"a":[1,{"b":1e131071}],"c":1e131071}"#), (9, #""1e131071""#),
        ] {
            try sql.query(
                """
                insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, detail_data)
                values (1, 1, \(day), '2025-03-0\(day)', 1, '{"n": \(value)}')
                """)
        }
        let run = try LUXCommand.run(
            ["export", "oversized"], environment: ["DATABASE_URL": database.connectionString])
        #expect(run.ending == .exit(1))
        #expect(run.errors.contains("found 5 logs"), "\(run.errors)")
        let lines = run.output.split(separator: "\r\n").dropFirst()
        #expect(
            lines.compactMap { $0.split(separator: "2025-03-0").last?.first }.map(String.init) == [
                "2", "3", "4", "5", "8",
            ])
        #expect(lines.map { String($0.suffix(2)) } == [",1", ",1", ",1", ",1", ",2"])
        try sql.script("delete from device_logs where log_file_id in (2, 3, 4, 5, 8)")
        let none = try LUXCommand.run(
            ["export", "oversized"], environment: ["DATABASE_URL": database.connectionString])
        #expect(none.ending == .exit(0) && none.errors.contains("found 0 logs"))
    }

    @Test func `rejects what is not a span`() throws {
        for (arguments, expected) in [
            (["--from", "2025-02-30", "--to", "2025-03-01"], "--from: 2025-02-30"), (["--from", "2025-02-01"], "--to"),
            (["--from", "2025-02-01", "--to", "soon"], "--to: soon"),
            (["--from", "2025-02-01", "--to", "2025-02-01"], "--from must be before --to"),
            (["--from", "2025-02-01", "--to", "2025-02-02", "--format", "xml"], "format"),
        ] {
            let run = try export(arguments)
            #expect(run.ending != .exit(0) && run.output.isEmpty && run.errors.contains(expected), "\(run.everything)")
        }
    }

    @Test func `fails when its reader or the database is gone`() throws {
        try store(["2025-02-01T00:00:00Z"])
        let span = "--from 2025-01-01 --to 2026-01-01"
        let full = try ChildProcess(
            "/bin/sh", ["-c", "exec \"$0\" export logs \(span) > /dev/full", Locations.server],
            environment: LUXCommand.environment(["DATABASE_URL": database.connectionString]))
        #expect(full.wait() == .exit(1))
        #expect(full.errors.contains("standard output: No space left on device"), "\(full.errors)")
        let nowhere = try LUXCommand.run(
            ["export", "logs"] + span.split(separator: " ").map { String($0) },
            environment: ["DATABASE_URL": TestCluster.shared.connectionString("no_such_database")])
        #expect(nowhere.ending == .exit(1) && nowhere.errors.contains("PostgreSQL"))
    }

    private func records() throws -> [[String?]] {
        try sql.query(
            """
            select action, operator, subject, user_id, child_id, count, finished_at is not null, host <> ''
            from access_records order by id
            """)
    }

    @Test func `each export leaves an access record, even one whose reader left`() throws {
        try store(["2025-02-01T00:00:00Z", "2025-02-02T00:00:00Z"])
        let span = ["--from", "2025-01-01T00:00:00Z", "--to", "2026-01-01T00:00:00Z"]
        #expect(try export(span + ["--child", "1", "--account", "1", "--operator", "Kim"]).ending == .exit(0))
        #expect(try export(span + ["--device", "none"]).ending == .exit(0))
        let full = try ChildProcess(
            "/bin/sh", ["-c", "exec \"$0\" export logs \(span.joined(separator: " ")) > /dev/full", Locations.server],
            environment: LUXCommand.environment(["DATABASE_URL": database.connectionString, "USER": "lee"]))
        #expect(full.wait() == .exit(1))
        let text = "logs from 2025-01-01T00:00:00.000Z to 2026-01-01T00:00:00.000Z"
        let user = try #require(getpwuid(getuid())).pointee.pw_name.map { String(cString: $0) }
        #expect(
            try records() == [
                ["export logs", "Kim", "\(text), child 1, user 1", "1", "1", "2", "t", "t"],
                ["export logs", user, "\(text), device none", nil, nil, "0", "t", "t"],
                ["export logs", "lee", text, nil, nil, "2", "f", "t"],
            ])
        try sql.script("drop table access_records")
        let none = try export(span)
        #expect(none.ending == .exit(1) && none.output.isEmpty && none.errors.contains("run lux-server migrate"))
        let readOnly = try LUXCommand.run(
            ["export", "logs"] + span,
            environment: [
                "DATABASE_URL": try TestDatabase.make().connectionString,
                "PGOPTIONS": "-c default_transaction_read_only=on",
            ])
        #expect(readOnly.ending == .exit(1) && readOnly.output.isEmpty && readOnly.errors.contains("is read-only"))
    }

    @Test func `goes on behind an id`() throws {
        try store(["2025-02-03T00:00:00Z", "2025-02-02T00:00:00Z", "2025-02-01T00:00:00Z"])
        let run = try export(["--from", "2025-01-01", "--to", "2026-01-01", "--after", "1"])
        #expect(run.output.split(separator: "\r\n").dropFirst().map { String($0.prefix(1)) } == ["2", "3"])
    }

    @Test func `CSV is read back as it was, whatever the cells contain`() throws {
        let texts = ["a", "b,c", "d\"e\"", "f\r\ng", "한글", "\\.", " ", "'", "\t"]
        for (index, text) in texts.enumerated() {
            try sql.query("insert into devices (id, unique_id) values ($1, $2)", [String(index + 2), text])
            try sql.query(
                "insert into device_logs (device_id, real_user_id, treatment_date) values ($1, 1, '2025-02-01')",
                [String(index + 2)])
        }
        let run = try export(["--from", "2025-01-01", "--to", "2026-01-01"])
        var reader = CSVReader(Array(run.output.utf8))
        _ = try reader.next()
        for text in texts { #expect(try reader.next()?.fields[2] == text) }
        #expect(try reader.next() == nil)
    }

    @Test func `needs no more memory for more logs`() throws {
        try sql.script(
            """
            insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, detail_data)
            select 1, 1, n, '2025-02-01', 1, jsonb_build_object('x', repeat('x', 8000)) from generate_series(1, 80000) n
            """)
        let process = try ChildProcess(
            "/bin/sh",
            [
                "-c", "exec \"$0\" export logs --from 2025-01-01 --to 2026-01-01 --format jsonl > /dev/null",
                Locations.server,
            ], environment: LUXCommand.environment(["DATABASE_URL": database.connectionString]))
        var peak = 0
        while process.isRunning {
            peak = max(peak, ProcessUsage(of: process.pid).memory)
            Thread.sleep(forTimeInterval: 0.01)
        }
        #expect(process.wait() == .exit(0))
        #expect(process.errors.contains("exported 80000 logs"), "\(process.errors)")
        // 640 MB are written. A sanitizer keeps freed memory for a while.
        #expect(peak > 0 && peak < 320_000, "\(peak) KiB")
    }
}
