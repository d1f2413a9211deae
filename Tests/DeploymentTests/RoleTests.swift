import Foundation
import LUXTestSupport
import Testing

/// deploy/grants.sql: the owner, the server, support, and erasure, each with what it needs.
@Suite struct RoleTests {
    private func csv(_ text: String) throws -> String {
        let path = try makeTemporaryFolder() + "/rows.csv"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func `accounts and children arrive by file or by rows, as the page shows`() async throws {
        try await onThread {
            let installation = try Installation()
            defer { installation.cluster.stop() }
            #expect(try installation.run("lux_owner", ["migrate"]).ending == .exit(0))
            try installation.grant()
            let page = try OperationsPage.text()
            func statements(_ start: String) throws -> String {
                let blocks = page.matches(of: /```sql\n([\s\S]*?)```/).map { String($0.output.1) }
                return try #require(blocks.first { $0.hasPrefix(start) })
            }
            let folder = try makeTemporaryFolder()
            let files = try OperationsPage.block(containing: "> users.csv")
            for name in ["users", "children"] {
                let line = try #require(files.split(separator: "\n").first { $0.hasSuffix("> \(name).csv") })
                #expect(try Tool("sh", ["-ec", String(line)], folder: folder).isDone)
                for _ in 0..<2 {
                    let run = try installation.run("lux_desk", ["provision", name, "\(folder)/\(name).csv"])
                    #expect(run.ending == .exit(0), "\(run.everything)")
                }
            }

            let owner = try installation.database.session()
            let roles = try statements("create role lux_accounts").split(separator: "\n")
            try owner.script(String(roles[0]))
            try owner.script("set role lux_owner; " + roles.dropFirst().joined(separator: "\n"))
            let service = try SQLSession(installation.url("lux_accounts"))
            // The rows of the files, and others; again and again.
            let rows = try statements("insert into users")
            for ids in [("1001", "5001"), ("1001", "5001"), ("1002", "5002")] {
                try service.script(rows.replacing("1001", with: ids.0).replacing("5001", with: ids.1))
            }
            #expect(try owner.integer("select count(*) from users where phone_number = '+821012345678'") == 2)
            #expect(throws: (any Error).self) { try service.script("select from device_logs") }

            let server = try installation.serve()
            let world = try World(installation.database, server)
            for user in [1001, 1002] as [Int64] {
                #expect(try world.call("GET", "get-all-device", as: user).status == 200)
                #expect(try world.call("GET", "child-device?real_user_id=\(user + 4000)", as: user).status == 404)
            }
            server.stop()
        }
    }

    @Test func `the role lux suffices for the server, and lux_desk for support commands`() async throws {
        try await onThread {
            let installation = try Installation()
            defer { installation.cluster.stop() }
            #expect(try installation.run("lux_owner", ["migrate"]).ending == .exit(0))
            // Twice: after each migration.
            for _ in 0..<2 { try installation.grant() }
            let unused = try installation.database.session().query(
                """
                select c.relname from pg_class c
                where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not exists (
                    select from unnest(array['lux', 'lux_desk', 'lux_privacy']) as role
                    where has_any_column_privilege(role, c.oid, 'select, insert, update'))
                """)
            #expect(unused.isEmpty, "deploy/grants.sql grants nothing on these tables: \(unused)")
            let files = [
                ("users", "id,phone_number\n7,01012345678\n"), ("children", "id,root_user_id,first_name\n8,7,Jisoo\n"),
                ("devices", "id,unique_id,serial_code,mac_id\n9,unit-9,SN-9,41AD\n"),
                ("devices", "unique_id,serial_code\nunit-next,SN-10\n"),
            ]
            for (kind, rows) in files {
                let rejected = try installation.run("lux", ["provision", kind, csv(rows)])
                #expect(rejected.ending == .exit(1), "\(kind): \(rejected.everything)")
                let run = try installation.run("lux_desk", ["provision", kind, csv(rows)])
                #expect(run.ending == .exit(0), "\(kind): \(run.everything)")
            }
            #expect(try installation.database.session().integer("select max(id) from devices") == 10)

            // With a cooldown the user's row is locked.
            let server = try installation.serve(["LUX_ALIMTALK_COOLDOWN": "1"])
            let world = try World(installation.database, server)
            let device = World.Device(id: 9, unique: "unit-9")
            let set = "set-my-device?serial_code=SN-9&mac_id=41AD&unique_id=unit-9&real_user_id=8"
            let alias = #"{"device_id":9,"real_user_id":8,"device_alias":"Bedroom"}"#
            let records = [nil, 1].map {
                World.record(child: 8, device: device, date: "2025-02-21T15:48:49Z", flag: $0, file: 1)
            }
            for (method, target, body) in [
                ("GET", "/readyz", nil), ("POST", set, nil), ("GET", "child-device?real_user_id=8", nil),
                ("GET", "get-all-device", nil), ("GET", "check-device?unique_id=unit-9", nil),
                ("PATCH", "update-alias", alias), ("POST", "devlog", World.logArrays([records[0]])),
                ("POST", "devlog", World.logArrays([records[1]])), ("POST", "devlog", World.logArrays([records[1]])),
                ("POST", "alimtalk", nil), ("PATCH", "un-connect?unique_id=unit-9&real_user_id=8", nil),
            ] as [(String, String, String?)] {
                let reply = try world.call(method, target, as: 7, body: body)
                #expect(reply.status == 200, "\(target): \(reply.summary)")
            }
            for (role, arguments) in [
                ("lux", ["export", "logs", "--from", "2025-01-01", "--to", "2026-01-01"]),
                ("lux", ["migrate", "--status"]), ("lux_desk", ["device", "show", "unit-9", "--operator", "Kim"]),
                ("lux_desk", ["device", "reset-log-counter", "unit-9", "--operator", "Kim"]),
                ("lux_desk", ["export", "logs", "--from", "2025-01-01", "--to", "2026-01-01"]),
            ] {
                let run = try installation.run(role, arguments)
                #expect(run.ending == .exit(0), "\(role) \(arguments): \(run.everything)")
            }
            let show = try installation.run("lux", ["device", "show", "unit-9", "--operator", "Kim"])
            #expect(show.ending == .exit(1), "\(show.everything)")
            server.stop()
        }
    }

    @Test func `erases, retains and copies as lux_privacy, and as no other role`() async throws {
        try await onThread {
            let installation = try Installation()
            defer { installation.cluster.stop() }
            #expect(try installation.run("lux_owner", ["migrate"]).ending == .exit(0))
            try installation.grant()
            let server = try installation.serve()
            let world = try World(installation.database, server)
            let (user, child, device) = try world.family()
            let (other, _, otherDevice) = try world.family()
            let record = World.record(child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: 1)
            #expect(try world.upload([record], as: user).status == 200)
            let sql = try installation.database.session()
            try sql.script(
                """
                insert into alimtalks (user_id, provider, status, idempotency_key, created_at)
                    select \(user), 'log', 'sent', 'key', now() - make_interval(days => 10 * i) from generate_series(0, 3) i;
                update real_users set root_user_id = \(user) where id = \(child);
                insert into support_actions (device_id, unique_id, action, operator, detail, created_at)
                    values (\(device.id), 'x', 'show', 'Kim', '{"real_user_id": \(child)}', now()),
                           (\(device.id), 'x', 'show', 'Kim', '{}', now() - interval '50 days');
                """)
            let kept = ["LOGS": "30000", "MESSAGES": "15", "AUDIT": "40", "KEYS": "5"]
            let environment = Dictionary(uniqueKeysWithValues: kept.map { ("LUX_RETENTION_\($0)", $1) })
            let commands = [
                ["child", "export", "\(child)"], ["user", "export", "\(user)"], ["retention", "run", "--dry-run"],
                ["retention", "run"], ["child", "erase", "\(child)", "--disconnect"],
                ["user", "erase", "\(user)", "--disconnect"],
            ].map { $0 + ["--operator", "Kim"] }
            for role in ["lux", "lux_desk"] {
                for command in commands where command[1] != "export" || role == "lux" || command[0] == "user" {
                    if command.contains("--dry-run") { continue }
                    let run = try installation.run(role, command, environment: environment)
                    #expect(
                        run.ending == .exit(1) && run.errors.contains("42501"), "\(role) \(command): \(run.everything)")
                }
            }
            #expect(try sql.integer("select count(*) from device_logs") == 1)
            for command in commands {
                let run = try installation.run("lux_privacy", command, environment: environment)
                #expect(run.ending == .exit(0), "\(command): \(run.everything)")
            }
            for (count, left) in [
                ("users where id = \(user)", 0), ("real_users where id = \(child)", 0), ("device_logs", 0),
                ("alimtalks", 2), ("alimtalks where user_id is not null or idempotency_key is not null", 0),
                ("support_actions where created_at < now() - interval '40 days'", 0),
                ("devices where id = \(device.id) and real_user_id is null", 1), ("users where id = \(other)", 1),
                ("devices where id = \(otherDevice.id) and real_user_id is not null", 1),
                ("access_records where action = 'user erase' and finished_at is not null", 1),
            ] {
                #expect(try sql.integer("select count(*) from \(count)") == left, "\(count)")
            }
            server.stop()
        }
    }

    @Test func `no role may do more, and nobody else gets in`() async throws {
        try await onThread {
            let installation = try Installation()
            defer { installation.cluster.stop() }
            #expect(try installation.run("lux_owner", ["migrate"]).ending == .exit(0))
            try installation.grant()
            let rejected = [
                "lux": [
                    "delete from device_logs", "truncate alimtalks", "create table more (id int)",
                    "update users set phone_number = null", "insert into users default values",
                    "insert into devices (unique_id) values ('x')", "select * from support_actions",
                    "select * from access_records", "delete from access_records",
                    "update access_records set subject = 'x'",
                    "update schema_migrations set name = 'x'", "drop index device_logs_numbered_key",
                    "delete from users", "delete from real_users", "delete from alimtalks",
                    "delete from support_actions",
                    "create temporary table t (id int)", "select setval('users_id_seq', 1)",
                ],
                "lux_desk": [
                    "delete from devices", "update device_logs set finish_flag = 1", "select * from alimtalks",
                    "delete from support_actions", "update support_actions set operator = 'x'",
                    "delete from access_records", "update access_records set operator = 'x'",
                    "update users set phone_number = null", "insert into device_logs default values",
                    "delete from users", "delete from device_logs", "delete from alimtalks",
                ],
                "lux_privacy": [
                    "insert into users default values", "update users set phone_number = null",
                    "update real_users set first_name = 'x'", "insert into device_logs default values",
                    "update device_logs set finish_flag = 1", "delete from devices",
                    "update devices set serial_code = 'x'", "update alimtalks set status = 'sent'",
                    "update access_records set operator = 'x'", "update support_actions set operator = 'x'",
                    "delete from schema_migrations", "create table more (id int)", "truncate device_logs",
                    "create temporary table t (id int)",
                ],
            ]
            for (role, statements) in rejected {
                let sql = try SQLSession(installation.url(role))
                for statement in statements {
                    #expect("\(role): \(statement)") {
                        try sql.script(statement)
                    } throws: {
                        ($0 as? SQLSession.Failure)?.sqlState == "42501"
                    }
                }
            }
            try installation.cluster.session().script("create role somebody login")
            #expect(throws: (any Error).self) { try SQLSession(installation.url("somebody")) }
        }
    }

    /// The page's commands, with a file as it is for a database elsewhere: more follows the password.
    @Test func `each role has the password of its file, and no more rights`() throws {
        let folder = try makeTemporaryFolder()
        let blocks = try ["umask 077\nfor role", "alter role $role"].map { text in
            try OperationsPage.block(containing: text).replacing("/etc/lux/", with: folder + "/")
        }
        let make = try #require(blocks[0].split(separator: "chgrp").first)
        #expect(try Tool("sh", ["-ec", String(make)]).isDone)
        for name in ["lux_owner", "lux", "lux_desk", "lux_privacy"] {
            let path = "\(folder)/\(name).url"
            let line = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
            let more = name == "lux" ? " sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt" : ""
            try (line + more + "\n").write(toFile: path, atomically: true, encoding: .utf8)
            let password = try #require(line.split(separator: "password=").last)
            #expect(password.wholeMatch(of: /[0-9a-f]{48}/) != nil)
        }
        let loop = try #require(blocks[1].split(separator: "| runuser").first)
        let run = try Tool("sh", ["-ec", String(loop)])
        let expected = try ["lux_owner", "lux", "lux_desk", "lux_privacy"].map { role in
            let line = try String(contentsOfFile: "\(folder)/\(role).url", encoding: .utf8)
            let password = try #require(line.firstMatch(of: /password=([0-9a-f]+)/)).output.1
            return "alter role \(role) password '\(password)';\n"
        }
        #expect(run.output == expected.joined(), "\(run.everything)")
    }

    /// A folder `Migrations` in the working directory wins over that of the release.
    @Test func `the page's commands that read migrations do not run where the shell happens to be`() throws {
        let lines = try OperationsPage.blocks().joined(separator: "\n").split(separator: "\n")
        let reading = lines.filter { $0.contains("lux-server migrate") || $0.contains("lux-server doctor") }
        #expect(reading.count >= 5)
        for line in reading { #expect(line.hasPrefix("(cd / && "), "\(line)") }
    }
}
