import Foundation
import LUXTestSupport
import Testing

/// lux-server retention run
@Suite struct RetentionCommandTests {
    let database: TestDatabase
    let sql: SQLSession

    init() throws {
        database = try TestDatabase.make()
        sql = try database.session()
        // Ages in days: 1, 2, …; 2,500 logs of each of two children.
        try sql.script(
            """
            insert into users (id) values (1);
            insert into real_users (id, root_user_id) values (1, 1), (5000, 1);
            insert into devices (id, unique_id) values (1, 'a');
            insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag)
                select 1, c, n * 10000 + c, now() - n * interval '1 day' + interval '1 hour' + c * interval '1 second', 1
                from generate_series(1, 2500) n, unnest(array[1, 5000]) c;
            insert into alimtalks (user_id, status, idempotency_key, created_at)
                select 1, s, 'k' || n, now() - n * interval '1 day' + interval '1 hour'
                from generate_series(1, 100) n, unnest(array['sent', 'pending']) s;
            insert into support_actions (device_id, unique_id, action, operator, detail, created_at)
                select 1, 'a', 'show', 'x', '{}', now() - n * interval '1 day' + interval '1 hour' from generate_series(1, 100) n;
            insert into access_records (operator, host, action, subject, created_at)
                select 'x', 'h', 'token', 'user 1', now() - n * interval '1 day' + interval '1 hour' from generate_series(1, 100) n
            """)
    }

    private func run(_ days: [String: String], _ arguments: [String] = []) throws -> LUXCommand {
        let variables = days.map { ("LUX_RETENTION_\($0.key)", $0.value) }
        return try LUXCommand.run(
            ["retention", "run", "--operator", "timer"] + arguments,
            environment: Dictionary(uniqueKeysWithValues: variables + [("DATABASE_URL", database.connectionString)]))
    }

    private func counts() throws -> [Int64] {
        try [
            "device_logs", "alimtalks", "support_actions", "access_records",
            "alimtalks where idempotency_key is not null",
        ].map { try sql.integer("select count(*) from \($0)") }
    }

    @Test func `deletes what is older than configured, and a dry run counts it`() throws {
        let before = try counts()
        #expect(try run([:]).output.contains("kept forever"))
        #expect(try counts() == before)
        let days = ["LOGS": "1000", "MESSAGES": "10", "AUDIT": "40", "KEYS": "2"]
        let dry = try run(days, ["--dry-run", "--json"])
        #expect(dry.ending == .exit(0), "\(dry.everything)")
        #expect(try counts() == before)
        let run = try run(days, ["--json"])
        #expect(run.ending == .exit(0), "\(run.everything)")
        let planned = try #require(JSONValue(dry.output), "\(dry.output)")
        let done = try #require(JSONValue(run.output), "\(run.output)")
        // 90 sent ones and 70 pending ones, which may be settled for 30 days; their keys went with them.
        for (name, count, plan) in [
            ("logs", 3_000, 3_000), ("messages", 160, 160), ("audit", 120, 120), ("keys", 36, 196),
        ] {
            #expect(done[name]?.integer == Int64(count), "\(name): \(run.output)")
            #expect(planned[name]?.integer == Int64(plan), "\(name): \(dry.output)")
        }
        #expect(try counts() == [before[0] - 3_000, before[1] - 160, 40, 40 + 4, 4])
        #expect(
            try sql.query(
                "select operator, action, subject, count, finished_at is not null from access_records where action = 'retention run' order by id"
            )
                == [
                    ["timer", "retention run", "logs older than 1000 days", "3000", "t"],
                    ["timer", "retention run", "messages older than 10 days", "160", "t"],
                    ["timer", "retention run", "audit older than 40 days", "120", "t"],
                    ["timer", "retention run", "keys older than 2 days", "36", "t"],
                ])
        _ = try self.run(days)
        #expect(try sql.integer("select count(*) from access_records") == 44)
    }

    @Test func `rejects an age that is not a number of days`() throws {
        for (name, value) in [("LOGS", "0"), ("MESSAGES", "x"), ("AUDIT", "-1"), ("KEYS", "1")] {
            let run = try run([name: value])
            #expect(
                run.ending == .exit(78) && run.errors.contains("LUX_RETENTION_\(name): must be"), "\(run.everything)")
        }
    }
}
