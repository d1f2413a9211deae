import Postgres

/// The database of a simulation: its rows before, and what became of them.
///
/// Stays on the thread that created it. Throws `PostgresError`.
package struct SimulationDatabase {
    private let session: PostgresSession

    package init(_ connectionString: String) throws {
        session = try PostgresSession(connectionString: connectionString)
        try session.execute(script: "set lock_timeout = 0")
        try session.execute(script: "set statement_timeout = 0")
    }

    /// The first process of the database, when it runs on this machine.
    package func postmaster() throws -> Int? {
        let pid = try session.query("select pg_backend_pid()").first?.first.flatMap { $0 }.flatMap { Int($0) }
        return pid.flatMap { ProcessTime.parent(pid: $0) }
    }

    /// Whether ``provision(devices:)`` was called for this database.
    package func isProvisioned() throws -> Bool {
        try !session.query("select 1 from devices where id = \(PhoneRequest.base)").isEmpty
    }

    /// Inserts accounts, children and connected devices, unless they exist.
    ///
    /// - Throws: also ``UsedDatabase`` when there are logs of an earlier simulation.
    package func provision(devices: Int) throws {
        let base = PhoneRequest.base
        let logs = try session.query("select 1 from device_logs where device_id >= \(base) limit 1")
        guard logs.isEmpty else { throw UsedDatabase() }
        try session.execute(
            script: """
                insert into users (id, phone_number)
                    select \(base) + n, '+8210' || (10000000 + n) from generate_series(0, \((devices - 1) / 2)) n
                    on conflict do nothing;
                insert into real_users (id, root_user_id, first_name, last_name, birthdate, gender)
                    select \(base) + n, \(base) + n / 2, 'Jisoo', 'Kim', '20190305', 'F'
                    from generate_series(0, \(devices - 1)) n on conflict do nothing;
                insert into devices (id, real_user_id, unique_id, serial_code, mac_id, connected_at)
                    select \(base) + n, \(base) + n, 'sim-' || n, 'S' || n, '41AD', now()
                    from generate_series(0, \(devices - 1)) n on conflict do nothing;
                """)
        for table in ["users", "real_users", "devices", "device_logs"] {
            try session.execute(script: "vacuum (analyze) \(table)")
        }
    }

    /// Inserts complete logs of past years; a device's logs lie far apart, as they do when devices take turns.
    package func provision(logs: Int, devices: Int) throws {
        let base = PhoneRequest.base
        for start in stride(from: 0, to: logs, by: 500_000) {
            try session.execute(
                script: """
                    insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, last_intensity,
                        treatment_time, detail_data)
                    select \(base) + n % \(devices), \(base) + n % \(devices), n / \(devices),
                        timestamptz '2015-01-01Z' + n / \(devices) * interval '1 day', 1, 2, 900,
                        jsonb_build_object('treatment_date', '2015-01-01T00:00:00', 'finish_flag', 1, 'last_intensity', 2,
                            'treatment_time', 900)
                    from generate_series(\(start), \(min(logs, start + 500_000) - 1)) n
                    """)
        }
        guard logs > 0 else { return }
        try session.execute(
            script: "update devices set last_log_file_id = \((logs - 1) / devices) where id >= \(base)")
        for table in ["devices", "device_logs"] { try session.execute(script: "vacuum (analyze) \(table)") }
        try checkpoint()
    }

    package func checkpoint() throws { try session.execute(script: "checkpoint") }

    /// After a checkpoint the first change of each page is logged with the whole page: how much that is depends on how often there are
    /// checkpoints, not on the endpoint. For a private database that is thrown away.
    package func writeNoPageImages() throws {
        try session.execute(script: "alter system set full_page_writes = off")
        try session.query("select pg_reload_conf()")
    }

    /// Numbers whose growth a report shows.
    package struct Size: Sendable, Equatable {
        package var wal: Int64
        package var database: Int64
        package var logs: Int64
        package var indexes: Int64
        package var updates: Int64
        package var hotUpdates: Int64
        package var devicesHot: Int64
        package var devicesUpdates: Int64
        package var commits: Int64
    }

    package func size() throws -> Size {
        try session.query("select pg_stat_force_next_flush()")
        let row = try session.query(
            """
            select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, pg_database_size(current_database()),
                pg_table_size('device_logs'), pg_indexes_size('device_logs'), l.n_tup_upd, l.n_tup_hot_upd,
                d.n_tup_hot_upd, d.n_tup_upd,
                (select xact_commit from pg_stat_database where datname = current_database())
            from pg_stat_user_tables l, pg_stat_user_tables d where l.relname = 'device_logs' and d.relname = 'devices'
            """
        ).first?.map { $0.flatMap { Int64($0) } ?? 0 }
        guard let row, row.count == 9 else { throw PostgresError(kind: .protocolViolation, message: "no sizes") }
        return Size(
            wal: row[0], database: row[1], logs: row[2], indexes: row[3], updates: row[4], hotUpdates: row[5],
            devicesHot: row[6], devicesUpdates: row[7], commits: row[8])
    }

    /// Compares all rows with what was acknowledged.
    ///
    /// - Returns: how many devices differ in which way, and the first of each.
    package func differences(
        _ acknowledged: [AcknowledgedLogs]
    ) throws -> [AcknowledgedLogs.Difference: (count: Int, example: Int)] {
        var differences: [AcknowledgedLogs.Difference: (count: Int, example: Int)] = [:]
        func note(_ number: Int, _ rows: StoredCounts) {
            guard acknowledged.indices.contains(number), let found = acknowledged[number].difference(rows) else {
                return
            }
            differences[found] = ((differences[found]?.count ?? 0) + 1, differences[found]?.example ?? number)
        }
        var next = 0
        let statement = """
            select d.id - \(PhoneRequest.base), coalesce(l.complete, 0), coalesce(l.temporary, 0), coalesce(l.mark, 0),
                d.last_log_file_id
            from devices d
            left join (select device_id, count(*) filter (where finish_flag is not null) as complete,
                           count(*) filter (where finish_flag is null) as temporary,
                           sum(\(AcknowledgedLogs.sqlMark)) filter (where finish_flag is not null) as mark
                       from device_logs where device_id >= \(PhoneRequest.base) group by device_id) l on l.device_id = d.id
            where d.id >= \(PhoneRequest.base) order by d.id
            """
        try session.stream(statement, []) { row in
            let numbers = row.map { $0.flatMap { Int64($0) } ?? 0 }
            guard numbers.count == 5 else { return }
            let number = Int(numbers[0])
            // A device that is gone has no logs.
            while next < number {
                note(next, StoredCounts())
                next += 1
            }
            note(
                number,
                StoredCounts(
                    complete: Int32(clamping: numbers[1]), temporary: Int32(clamping: numbers[2]), sum: numbers[3],
                    last: Int32(clamping: numbers[4])))
            next = number + 1
        }
        for number in next..<max(next, acknowledged.count) { note(number, StoredCounts()) }
        return differences
    }
}

/// A simulation begins without logs, since it compares all that there are with what was acknowledged.
package struct UsedDatabase: Error, CustomStringConvertible {
    package let description = "the database has logs of an earlier simulation; use an empty one"
}
