import Postgres

/// What the numbers (`log_file_id`) of a device's complete logs show: holes, restarts, duplicates.
struct DeviceNumbers {
    /// How many ranges or numbers are listed.
    private static let listed = 10

    let session: PostgresSession
    /// The device's id.
    let deviceID: String

    /// Lines for the operator.
    ///
    /// - Throws: `PostgresError`.
    func lines() throws(PostgresError) -> [String] {
        [
            "holes since the last restart: \(try list(Self.holes))", "counter restarts: \(try list(Self.restarts))",
            "numbers stored more than once: \(try list(Self.duplicates))",
        ]
    }

    /// - Parameter query: one row for each finding: its text.
    private func list(_ query: String) throws(PostgresError) -> String {
        let rows = try session.query(query, [deviceID]).compactMap { $0.first ?? nil }
        guard !rows.isEmpty else { return "none" }
        let rest = rows.count > Self.listed ? ", and \(rows.count - Self.listed) more" : ""
        return rows.prefix(Self.listed).joined(separator: ", ") + rest
    }

    private static let holes = """
        select case when next - log_file_id = 2 then (log_file_id + 1)::text
                    else (log_file_id + 1) || '-' || (next - 1) end
        from (select log_file_id, lead(log_file_id) over (order by log_file_id) as next
              from (select distinct l.log_file_id from device_logs l join devices d on d.id = l.device_id
                    where l.device_id = $1 and l.finish_flag is not null and l.log_file_id is not null
                      and l.treatment_date >= coalesce(d.log_counter_restart, '-infinity')) numbers) pairs
        where next > log_file_id + 1
        order by log_file_id
        """

    // As an upload recognises one: a lower number with a later start than all before it.
    private static let restarts = """
        select to_char(treatment_date at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || ' (' || previous || ' to '
               || log_file_id || ')'
        from (select treatment_date, log_file_id,
                     lag(log_file_id) over (order by treatment_date, log_file_id) as previous
              from device_logs
              where device_id = $1 and finish_flag is not null and log_file_id is not null) numbered
        where log_file_id < previous
        order by treatment_date
        """

    private static let duplicates = """
        select log_file_id || ' (' || count(*) || ' times)'
        from device_logs
        where device_id = $1 and finish_flag is not null and log_file_id is not null
        group by log_file_id having count(*) > 1
        order by log_file_id
        """
}
