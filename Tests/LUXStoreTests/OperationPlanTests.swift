import Foundation
import LUXTestSupport
import Testing

/// Copying, erasing and retention read by index, whatever the size of the tables.
@Suite struct OperationPlanTests {
    private static let rows = """
        insert into users (phone_number) select '+8210' || (10000000 + n) from generate_series(1, 20000) n;
        insert into real_users (root_user_id) select 1 + n / 2 from generate_series(0, 39999) n;
        insert into devices (unique_id) select 'unit-' || n from generate_series(1, 40000) n;
        insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag)
            select n, n, f, timestamptz '2025-01-01Z' + f * interval '1 day', 1
            from generate_series(1, 40000) n, generate_series(1, 6) f;
        insert into alimtalks (user_id, status, idempotency_key, created_at)
            select n, 'sent', 'k', now() - n * interval '1 hour' from generate_series(1, 20000) n;
        insert into support_actions (device_id, unique_id, action, operator, detail, created_at)
            select n, 'unit-' || n, 'show', 'x', jsonb_build_object('real_user_id', n), now() - n * interval '1 hour'
            from generate_series(1, 20000) n;
        insert into access_records (operator, host, action, subject, user_id, child_id, created_at)
            select 'x', 'h', 'device show', 'device unit-' || n, n, n, now() - n * interval '1 hour'
            from generate_series(1, 20000) n;
        """

    @Test func `reads no table as a whole`() throws {
        let database = try TestDatabase.make()
        let sql = try database.session()
        try sql.script(Self.rows)
        try sql.script("vacuum (analyze)")
        // Half a year of messages and audit rows is deleted, and a sixth of the logs.
        let retention = ["LOGS": "1", "MESSAGES": "800", "AUDIT": "800", "KEYS": "800"]
        let logDays = try sql.integer("select (now()::date - date '2025-01-02')")
        for command in [
            ["child", "export", "7"], ["user", "export", "9"], ["child", "erase", "7"], ["user", "erase", "9"],
            ["retention", "run", "--dry-run"], ["retention", "run"],
            ["device", "show", "unit-5"], ["device", "clear-codes", "unit-5"],
        ] {
            let before = try scans(sql)
            var environment = ["DATABASE_URL": database.connectionString]
            for (name, days) in retention {
                environment["LUX_RETENTION_\(name)"] = name == "LOGS" ? "\(logDays)" : days
            }
            let run = try LUXCommand.run(command + ["--operator", "Kim"], environment: environment)
            #expect(run.ending == .exit(0), "\(command): \(run.everything)")
            while try sql.integer(
                "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
            )
                > 0
            { Thread.sleep(forTimeInterval: 0.02) }
            #expect(try scans(sql) == before, "\(command) reads a whole table: \(run.output)")
        }
        #expect(try sql.integer("select count(*) from device_logs") < 220_000)
    }

    private func scans(_ sql: SQLSession) throws -> [[String?]] {
        try sql.query("select pg_stat_force_next_flush()")
        try sql.query("select pg_stat_clear_snapshot()")
        return try sql.query(
            """
            select relname, seq_scan from pg_stat_user_tables
            where relname in ('users', 'real_users', 'devices', 'device_logs', 'alimtalks', 'support_actions', 'access_records')
            order by relname
            """)
    }
}
