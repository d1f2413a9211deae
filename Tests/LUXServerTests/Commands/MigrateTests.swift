import Foundation
import LUXTestSupport
import Testing

/// lux-server migrate, and what serve does on a database that is not migrated.
@Suite struct MigrateTests {
    private func migrate(
        _ database: TestDatabase, _ arguments: [String] = [], folder: String = Locations.migrations
    ) throws -> LUXCommand {
        try LUXCommand.run(
            ["migrate"] + arguments,
            environment: ["DATABASE_URL": database.connectionString, "LUX_MIGRATIONS": folder])
    }

    private static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: Locations.migrations)) ?? []
        return files.filter { $0.hasSuffix(".sql") }.map { String($0.dropLast(4)) }.sorted()
    }()

    @Test func `applies all files once and lists them`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let before = try migrate(database, ["--status"])
            #expect(before.ending == .exit(0), "\(before.everything)")
            #expect(!Self.names.isEmpty)
            for name in Self.names { #expect(before.everything.contains(name)) }
            let tables = "select count(*) from pg_tables where schemaname = 'public' and tablename = 'devices'"
            #expect(try database.session().integer(tables) == 0, "--status applies nothing")

            #expect(try migrate(database).ending == .exit(0))
            #expect(try database.session().integer(tables) == 1)
            let after = try migrate(database, ["--status"])
            #expect(after.ending == .exit(0) && after.everything != before.everything)
            let again = try migrate(database)
            #expect(again.ending == .exit(0), "\(again.everything)")
        }
    }

    @Test(arguments: [("", false), ("?gssencmode=prefer", true)])
    func `only a connection string that asks for GSSAPI encryption makes libpq use Kerberos`(
        parameter: String, usesKerberos: Bool
    ) async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let trace = FileManager.default.temporaryDirectory.appendingPathComponent("kerberos-\(Unique.number())")
                .path
            defer { try? FileManager.default.removeItem(atPath: trace) }
            let status = try LUXCommand.run(
                ["migrate", "--status"],
                environment: [
                    "DATABASE_URL": database.connectionString + parameter, "LUX_MIGRATIONS": Locations.migrations,
                    "KRB5_TRACE": trace,
                ])
            #expect(status.ending == .exit(0), "\(status.everything)")
            #expect(FileManager.default.fileExists(atPath: trace) == usesKerberos)
        }
    }

    @Test func `rejects an applied file that was changed since`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let folder = try makeTemporaryFolder("lux-migrations")
            for name in Self.names {
                try FileManager.default.copyItem(
                    atPath: "\(Locations.migrations)/\(name).sql", toPath: "\(folder)/\(name).sql")
            }
            #expect(try migrate(database, folder: folder).ending == .exit(0))
            let file = try #require(Self.names.first)
            let path = "\(folder)/\(file).sql"
            try (String(contentsOfFile: path, encoding: .utf8) + "\n-- changed\n")
                .write(toFile: path, atomically: true, encoding: .utf8)
            let rejected = try migrate(database, folder: folder)
            #expect(rejected.ending != .exit(0) && rejected.ending != nil)
            #expect(rejected.errors.contains(file), "\(rejected.everything)")
        }
    }

    @Test func `applies a file wholly or not at all`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let folder = try makeTemporaryFolder("lux-migrations")
            try "create table first (id int);".write(
                toFile: folder + "/0001_first.sql", atomically: true, encoding: .utf8)
            try "create table second (id int); select 1/0;".write(
                toFile: folder + "/0002_second.sql", atomically: true, encoding: .utf8)
            let failed = try migrate(database, folder: folder)
            #expect(failed.ending != .exit(0) && failed.errors.contains("0002_second"), "\(failed.everything)")
            let tables = try database.session().query(
                "select tablename from pg_tables where tablename in ('first', 'second')")
            #expect(tables == [["first"]])
            try "create table second (id int);".write(
                toFile: folder + "/0002_second.sql", atomically: true, encoding: .utf8)
            #expect(try migrate(database, folder: folder).ending == .exit(0), "the failed one was not recorded")
        }
    }

    /// A file's name and bytes, and what the message contains.
    private static let badFiles: [(name: String, bytes: [UInt8], word: String)] = [
        ("0001_a.down.sql", Array("select 1".utf8), "down migrations"), ("0001_a.SQL", Array("select 1".utf8), "NNNN"),
        ("0001_a.sql", [0xEF, 0xBB, 0xBF] + Array("select 1".utf8), "byte order mark"),
        ("0001_a.sql", [0xC7, 0xD1], "UTF-8"), ("0001_a.sql", [0x2D, 0x2D, 0], "NUL"),
        ("0001_a.sql", Array("create table t (); commit; select 1".utf8), "COMMIT"),
        ("0001_a.sql", Array("/* x */ Begin;".utf8), "BEGIN"),
    ]

    @Test func `rejects files that are not migrations, with a sentence, and applies nothing`() async throws {
        try await onThread {
            for (name, bytes, word) in Self.badFiles {
                let database = try TestDatabase.makeEmpty()
                let folder = try makeTemporaryFolder("lux-migrations")
                try "create table first (id int)".write(
                    toFile: folder + "/0000_first.sql", atomically: true, encoding: .utf8)
                try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
                let run = try migrate(database, folder: folder)
                #expect(run.ending == .exit(1) && run.errors.contains(word), "\(name): \(run.everything)")
                #expect(
                    try database.session().integer("select count(*) from pg_tables where schemaname = 'public'") == 0)
            }
        }
    }

    @Test func `words of transaction control are allowed in bodies, strings and comments`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let folder = try makeTemporaryFolder("lux-migrations")
            try """
            -- begin; commit
            create function f() returns int language plpgsql as $body$ begin return 1; end $body$;
            comment on function f() is 'begin; commit;'; /* ; rollback; */
            do $$ begin perform f(); end $$;
            """.write(toFile: folder + "/0001_a.sql", atomically: true, encoding: .utf8)
            let run = try migrate(database, folder: folder)
            #expect(run.ending == .exit(0), "\(run.everything)")
        }
    }

    @Test func `line ends do not change the checksum`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let folder = try makeTemporaryFolder("lux-migrations")
            let path = folder + "/0001_a.sql"
            try "create table a (id int);\n-- x\n".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try migrate(database, folder: folder).ending == .exit(0))
            try "create table a (id int);\r\n-- x\r\n".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try migrate(database, folder: folder).ending == .exit(0))
        }
    }

    @Test func `a file without a transaction creates an index concurrently, and what a failure leaves is reported`()
        async throws
    {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let folder = try makeTemporaryFolder("lux-migrations")
            try "create table a (id int); insert into a values (1), (1)".write(
                toFile: folder + "/0001_a.sql", atomically: true, encoding: .utf8)
            let path = folder + "/0002_b.sql"
            try "-- no transaction\ncreate unique index concurrently a_id_idx on a (id);".write(
                toFile: path, atomically: true, encoding: .utf8)
            let failed = try migrate(database, folder: folder)
            #expect(failed.ending == .exit(1) && failed.errors.contains("0002_b"))
            #expect(try migrate(database, ["--status"], folder: folder).output.contains("invalid index a_id_idx"))
            try database.session().script("drop index a_id_idx; delete from a")
            #expect(try migrate(database, folder: folder).ending == .exit(0))
            #expect(try !migrate(database, ["--status"], folder: folder).output.contains("invalid"))
        }
    }

    @Test func `a migration that meets a lock is retried and holds nobody up meanwhile`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let folder = try makeTemporaryFolder("lux-migrations")
            try "create table a (id int)".write(toFile: folder + "/0001_a.sql", atomically: true, encoding: .utf8)
            #expect(try migrate(database, folder: folder).ending == .exit(0))
            try "alter table a add column b int".write(
                toFile: folder + "/0002_b.sql", atomically: true, encoding: .utf8)
            let dump = try database.session()
            try dump.script("begin; lock table a in access share mode")
            let process = try ChildProcess(
                Locations.server, ["migrate"],
                environment: LUXCommand.environment([
                    "DATABASE_URL": database.connectionString, "LUX_MIGRATIONS": folder,
                ]))
            usleep(600_000)
            let reader = try database.session()
            var slowest = 0.0
            for _ in 0..<20 {
                let start = Date()
                try reader.query("select * from a")
                slowest = max(slowest, Date().timeIntervalSince(start))
                usleep(100_000)
            }
            #expect(slowest < 1.8, "a read waited \(slowest) s")
            try dump.script("commit")
            #expect(process.wait(seconds: 20) == .exit(0), "\(process.errors)")
            #expect(process.errors.contains("waiting for a lock for "))
        }
    }

    @Test func `a database of another encoding is rejected before anything is created`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let admin = try database.session()
            let name = "\(database.name)_latin1"
            try admin.script(
                "create database \(name) encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0")
            let url = database.connectionString.replacingOccurrences(of: database.name, with: name)
            for command in [["migrate"], ["serve", "--migrate"], ["doctor"]] {
                let run = try LUXCommand.run(
                    command,
                    environment: [
                        "DATABASE_URL": url, "LUX_JWT_SECRET": Token.secret, "LUX_PORT": "0", "LUX_HOST": "127.0.0.1",
                        "LUX_MIGRATIONS": Locations.migrations,
                    ])
                #expect(run.ending == .exit(1), "\(command): \(run.everything)")
                #expect(run.everything.contains("UTF8"), "\(command): \(run.everything)")
            }
        }
    }

    @Test func `a server is ready on a newer schema that is marked compatible, and only then`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database)
            let sql = try database.session()
            #expect(try server.call("GET", "/readyz").status == 200)
            try sql.script(
                "insert into schema_migrations (version, name, checksum, compatible) values (9000, 'x', '', true)")
            #expect(try server.call("GET", "/readyz").status == 200)
            try sql.script("update schema_migrations set compatible = false where version = 9000")
            #expect(try server.call("GET", "/readyz").status == 503)
            try sql.script("delete from schema_migrations where version = (select min(version) from schema_migrations)")
            #expect(try server.call("GET", "/readyz").status == 503)
            server.stop()
        }
    }

    @Test func `each file runs on a database with rows in every table, and keeps them`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let folder = try makeTemporaryFolder("lux-migrations")
            let files = try FileManager.default.contentsOfDirectory(atPath: Locations.migrations).sorted()
            for (number, file) in files.enumerated() {
                try FileManager.default.copyItem(atPath: Locations.migrations + "/" + file, toPath: folder + "/" + file)
                let run = try migrate(database, folder: folder)
                #expect(run.ending == .exit(0), "\(file): \(run.everything)")
                // The columns of the contract and no others, as an operator writes them.
                try database.session().script(
                    """
                    with u as (insert into users (phone_number) values ('+821012345678') returning id),
                    c as (insert into real_users (root_user_id, first_name) select id, 'a' from u returning id),
                    d as (insert into devices (real_user_id, unique_id, connected_at)
                        select id, 'before-\(number)', now() from c returning id, real_user_id),
                    a as (insert into alimtalks (user_id, provider, status) select id, 'log', 'sent' from u)
                    insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag,
                        last_intensity, treatment_time, detail_data)
                    select id, real_user_id, 1, now(), 1, 2, 60, '{}'::jsonb from d
                    union all select id, real_user_id, null, now(), null, 2, 60, '{}' from d
                    """)
            }
            let rows = try database.session().query(
                """
                select (select count(*) from users), (select count(*) from real_users), (select count(*) from devices),
                    (select count(*) from device_logs), (select count(*) from alimtalks)
                """)
            #expect(rows == [[1, 1, 1, 2, 1].map { String($0 * files.count) }])
        }
    }

    @Test func `is applied once by eight processes at the same time`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let runs = try simultaneously(8) { _ in
                try LUXCommand.run(["migrate"], environment: ["DATABASE_URL": database.connectionString])
            }
            for run in runs { #expect(run.ending == .exit(0), "\(run.everything)") }
        }
    }

    @Test func `serve rejects a database that is not migrated, unless it migrates it itself`() async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let rejected = try LUXCommand.run(
                ["serve"],
                environment: [
                    "DATABASE_URL": database.connectionString, "LUX_JWT_SECRET": Token.secret, "LUX_PORT": "0",
                    "LUX_HOST": "127.0.0.1",
                ], seconds: 20)
            #expect(rejected.ending != nil && rejected.ending != .exit(0), "\(rejected.everything)")
            #expect(rejected.everything.lowercased().contains("migrat"), "\(rejected.everything)")
            let server = try TestServer(database, arguments: ["--migrate"])
            // The port is open while the migrations are applied.
            #expect(server.waits(for: 200, at: "/readyz"))
            server.stop()
        }
    }

    @Test func `fails with a reason on a database that does not exist`() async throws {
        try await onThread {
            let run = try LUXCommand.run(
                ["migrate"], environment: ["DATABASE_URL": TestCluster.shared.connectionString("no_such_database")])
            #expect(run.ending != .exit(0) && run.ending != nil)
            #expect(!run.errors.isEmpty)
        }
    }
}
