import Foundation
import LUXTestSupport
import Testing

/// lux-server user export, user erase, child export, child erase
@Suite struct PersonCommandTests {
    private func run(_ world: World, _ arguments: [String]) throws -> LUXCommand {
        let name = try world.sql.value("select current_database()") ?? ""
        return try LUXCommand.run(
            arguments + ["--operator", "Kim"],
            environment: ["DATABASE_URL": TestCluster.shared.connectionString(name)])
    }

    /// An account with two children, each with a device and logs, and messages, support actions and access records.
    private func account(_ world: World, logs: Int = 3) throws -> (
        user: Int64, children: [Int64], devices: [World.Device]
    ) {
        let user = try world.user(phone: "+821012345678")
        let children = try (0..<2).map { _ in try world.child(of: user) }
        let devices = try children.map { try world.device(of: $0, alias: "Bedroom") }
        for (child, device) in zip(children, devices) {
            try world.sql.query(
                """
                insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, detail_data)
                select $1, $2, n, timestamptz '2025-01-01Z' + n * interval '1 hour', 1, '{"note": "mine"}'
                from generate_series(1, $3::int) n
                """, [device.id, child, Int64(logs)].map { String($0) })
            try world.sql.query(
                """
                insert into support_actions (device_id, unique_id, action, operator, detail)
                values ($1, $2, 'show', 'Lee', jsonb_build_object('real_user_id', $3::bigint, 'root_user_id', $4::bigint))
                """, ["\(device.id)", device.unique, "\(child)", "\(user)"])
            try world.sql.query(
                """
                insert into access_records (operator, host, action, subject, user_id, child_id)
                values ('Lee', 'h', 'export logs', 'logs, child ' || $1 || ', user ' || $2, $2::bigint, $1::bigint)
                """, ["\(child)", "\(user)"])
        }
        try world.sql.query(
            """
            insert into alimtalks (user_id, provider, status, message_id, error) values
                ($1, 'of ' || $1::bigint, 'sent', 'm-1', null), ($1, 'of ' || $1::bigint, 'failed', null, 'no such number')
            """, [String(user)])
        return (user, children, devices)
    }

    @Test func `exports everything that is stored about an account or a child`() async throws {
        try await onThread {
            let world = try World()
            let other = try account(world)
            let (user, children, devices) = try account(world)
            let run = try run(world, ["user", "export", "\(user)"])
            #expect(run.ending == .exit(0), "\(run.everything)")
            let object = try #require(JSONValue(run.output), "\(run.output)")
            func ids(_ name: String, _ member: String = "id") -> [Int64] {
                object[name]?.items?.compactMap { $0[member]?.integer } ?? []
            }
            #expect(ids("users") == [user] && ids("children") == children)
            #expect(ids("devices").sorted() == devices.map(\.id))
            #expect(ids("logs", "real_user_id") == children.flatMap { [$0, $0, $0] })
            #expect(ids("messages", "user_id") == [user, user])
            #expect(object["support_actions"]?.items?.count == 2)
            // The record of this export is the third one.
            #expect(ids("access_records", "user_id") == [user, user, user])
            #expect(object["users"]?.items?.first?["phone_number"]?.string == "+821012345678")
            #expect(object["logs"]?.items?.first?["detail_data"]?["note"]?.string == "mine")
            #expect(object["logs"]?.items?.first?["treatment_date"]?.string == "2025-01-01T01:00:00+00:00")
            #expect(!ids("children").contains(other.children[0]))
            #expect(run.errors.contains("exported 18 rows"), "\(run.errors)")

            let child = try self.run(world, ["child", "export", "\(children[1])"])
            let part = try #require(JSONValue(child.output), "\(child.output)")
            for (name, count) in [
                ("children", 1), ("devices", 1), ("logs", 3), ("support_actions", 1), ("access_records", 2),
            ] { #expect(part[name]?.items?.count == count, "\(name): \(child.output)") }
            #expect(
                try world.sql.query(
                    """
                    select action, operator, subject, count, finished_at is not null from access_records
                    where subject in ($1, $2) order by id
                    """, ["user \(user)", "child \(children[1])"]) == [
                        ["user export", "Kim", "user \(user)", "18", "t"],
                        ["child export", "Kim", "child \(children[1])", "8", "t"],
                    ])
            let nobody = try self.run(world, ["user", "export", "999999999"])
            #expect(nobody.ending == .exit(1) && nobody.errors.contains("there is no user 999999999"))
        }
    }

    @Test func `messages that are sent while their account is erased do not refer to it`() async throws {
        try await onThread {
            let (kit, provider, isErased) = (AlimtalkKit.nhn, try FakeProvider(), Flag())
            provider.reset(responding: { _ in
                while !isErased.isSet { usleep(10_000) }
                return kit.accepted.reply
            })
            let world = try World.own(
                environment: kit.environment(
                    provider.baseURL, ["LUX_REQUEST_TIMEOUT": "60", "LUX_ALIMTALK_TIMEOUT": "60"]))
            let (user, children, _) = try account(world)
            func waits(_ condition: () throws -> Bool) rethrows -> Bool {
                for _ in 0..<1_500 {
                    if try condition() { return true }
                    usleep(20_000)
                }
                return false
            }
            func request(_ count: Int) throws -> HTTPClient {
                let client = try world.server.connect()
                try client.send(TestServer.request("POST", World.api + "alimtalk", token: Token.access(user: user)))
                #expect(waits { provider.requests.count == count })
                return client
            }
            let first = try request(1)
            // The erasure stops before it deletes the account.
            let name = try world.sql.value("select current_database()") ?? ""
            let locking = try TestCluster.shared.session(name)
            try locking.script("begin; select from real_users where id = \(children[0]) for update")
            let ended = Flag()
            Thread.detachNewThread {
                let run = try? LUXCommand.run(
                    ["user", "erase", "\(user)", "--disconnect", "--operator", "Kim"],
                    environment: ["DATABASE_URL": TestCluster.shared.connectionString(name)])
                #expect(run?.ending == .exit(0), "\(run?.everything ?? "")")
                ended.set()
            }
            let waiting = """
                select count(*) from pg_stat_activity where datname = '\(name)' and wait_event_type = 'Lock'
                """
            // Not by `locking`: a transaction sees the activity of its first look.
            #expect(try waits { try world.sql.integer(waiting) == 1 })
            let second = try request(2)
            try locking.script("rollback")
            #expect(waits { ended.isSet })
            isErased.set()
            for client in [first, second] { #expect(try client.receive().status == 200) }
            let rows = try locking.query("select status, user_id, message_id from alimtalks where provider = 'nhn'")
            #expect(rows == [["sent", nil, nil], ["sent", nil, nil]])
            world.server.stop()
        }
    }

    @Test func `erases a child, and what others have stays`() async throws {
        try await onThread {
            let world = try World()
            let (user, children, devices) = try account(world, logs: 2_500)
            let (gone, kept) = (children[0], children[1])
            let rejected = try run(world, ["child", "erase", "\(gone)"])
            #expect(
                rejected.ending == .exit(1) && rejected.errors.contains(devices[0].unique), "\(rejected.everything)")
            #expect(try world.logs(of: devices[0]).count == 2_500)
            let run = try run(world, ["child", "erase", "\(gone)", "--disconnect", "--json"])
            #expect(run.ending == .exit(0), "\(run.everything)")
            let report = try #require(JSONValue(run.output), "\(run.output)")
            #expect(report["logs"]?.integer == 2_500 && report["support_actions"]?.integer == 1)
            #expect(try world.sql.query("select from real_users where id = $1", ["\(gone)"]).isEmpty)
            #expect(try world.logs(of: devices[0]).isEmpty)
            #expect(try world.logs(of: devices[1]).count == 2_500)
            #expect(
                try world.sql.query(
                    "select real_user_id, device_alias, connected_at from devices where id = $1", ["\(devices[0].id)"])
                    == [[nil, nil, nil]])
            #expect(try world.call("GET", "child-device?real_user_id=\(kept)", as: user).status == 200)
            #expect(
                try world.sql.query(
                    "select action, detail from support_actions where device_id = $1 order by id", ["\(devices[0].id)"])
                    == [["show", "{}"], ["disconnect", "{}"]])
            #expect(
                try world.sql.query(
                    "select action, subject, child_id, user_id from access_records where user_id = $1 order by id",
                    ["\(user)"])
                    == [
                        ["export logs", "logs, child (erased), user \(user)", nil, "\(user)"],
                        ["export logs", "logs, child \(kept), user \(user)", "\(kept)", "\(user)"],
                    ])
            let record = try world.sql.query(
                """
                select operator, host <> '', count, finished_at is not null, user_id, child_id from access_records
                where action = 'child erase' and subject = $1
                """, ["child \(gone)"])
            // 2,500 logs, a support action, an access record and the child.
            #expect(record == [["Kim", "t", "2503", "t", nil, nil]])
            let again = try self.run(world, ["child", "erase", "\(gone)"])
            #expect(again.ending == .exit(1) && again.errors.contains("there is no child \(gone)"))
        }
    }

    @Test func `erases an account with its children, and messages and audit rows stay countable`() async throws {
        try await onThread {
            let world = try World()
            let (user, children, devices) = try account(world)
            let run = try run(world, ["user", "erase", "\(user)", "--disconnect"])
            #expect(run.ending == .exit(0), "\(run.everything)")
            for query in [
                "select from users where id = $1", "select from real_users where root_user_id = $1",
                "select from alimtalks where user_id = $1", "select from access_records where user_id = $1",
                "select from support_actions where detail ->> 'root_user_id' = $1::text",
            ] { #expect(try world.sql.query(query, ["\(user)"]).isEmpty, "\(query)") }
            for child in children {
                #expect(try world.sql.query("select from device_logs where real_user_id = $1", ["\(child)"]).isEmpty)
            }
            for device in devices { #expect(try world.logs(of: device).isEmpty) }
            #expect(
                try world.sql.query(
                    "select status, user_id, message_id, error from alimtalks where provider = $1 order by id",
                    ["of \(user)"]) == [["sent", nil, nil, nil], ["failed", nil, nil, nil]])
            #expect(
                try world.sql.query(
                    "select operator, count, finished_at is not null from access_records where action = 'user erase' and subject = $1",
                    ["user \(user)"])
                    == [["Kim", "17", "t"]])
            #expect(try world.call("GET", "get-all-device", as: user).status == 401)
        }
    }

    @Test func `goes on after an interruption`() async throws {
        try await onThread {
            let world = try World.own()
            let (user, children, _) = try account(world)
            // The last step fails.
            try world.sql.script(
                """
                create function reject() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
                create trigger reject before delete on users execute function reject()
                """)
            let failed = try run(world, ["user", "erase", "\(user)", "--disconnect"])
            #expect(failed.ending == .exit(1))
            #expect(try world.sql.integer("select count(*) from device_logs") == 0)
            #expect(try world.sql.integer("select count(*) from real_users where root_user_id = \(user)") == 2)
            try world.sql.script("drop trigger reject on users")
            #expect(try run(world, ["user", "erase", "\(user)"]).ending == .exit(0))
            #expect(try world.sql.integer("select count(*) from real_users where id = \(children[0])") == 0)
            #expect(
                try world.sql.query(
                    "select subject, count, finished_at is not null from access_records where action = 'user erase' order by id"
                )
                    == [["user \(user)", "14", "f"], ["user \(user)", "3", "t"]])
            world.server.stop()
        }
    }

    @Test func `delays nobody while it erases`() async throws {
        try await onThread {
            let world = try World()
            let (_, children, _) = try account(world, logs: 30_000)
            let (user, child, device) = try world.family()
            let process = try ChildProcess(
                Locations.server, ["child", "erase", "\(children[0])", "--disconnect", "--operator", "Kim"],
                environment: LUXCommand.environment([
                    "DATABASE_URL": TestCluster.shared.connectionString(
                        try world.sql.value("select current_database()") ?? "")
                ]))
            var uploads = 0
            while process.isRunning {
                uploads += 1
                let record = World.record(
                    child: child, device: device, date: "2025-02-01T00:00:00Z", flag: 1, file: Int64(uploads))
                let reply = try world.upload([record], as: user)
                #expect(reply.status == 200, "\(reply.summary)")
                #expect(try world.call("GET", "usage-logs?real_user_id=\(child)&limit=1", as: user).status == 200)
            }
            #expect(process.wait() == .exit(0), "\(process.errors)")
            #expect(uploads > 0)
            #expect(try world.sql.query("select from device_logs where real_user_id = $1", ["\(children[0])"]).isEmpty)
        }
    }
}
