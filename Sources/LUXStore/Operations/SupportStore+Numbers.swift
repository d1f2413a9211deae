import Postgres

/// What the numbers (`log_file_id`) of a device's complete logs show, each finding as a text.
extension SupportStore {
    /// Numbers since the last restart of the counter that no log has, as ranges.
    package func missingNumbers(of device: Device) throws(PostgresError) -> [String] {
        try findings(
            """
            select case when next - log_file_id = 2 then (log_file_id + 1)::text
                        else (log_file_id + 1) || '-' || (next - 1) end
            from (select log_file_id, lead(log_file_id) over (order by log_file_id) as next
                  from (select distinct l.log_file_id from device_logs l join devices d on d.id = l.device_id
                        where l.device_id = $1 and l.finish_flag is not null and l.log_file_id is not null
                          and l.treatment_date >= coalesce(d.log_counter_restart, '-infinity')) numbers) pairs
            where next > log_file_id + 1
            order by log_file_id
            """, device)
    }

    /// Restarts of the counter as an upload recognises them: a lower number with a later start than all before it.
    package func counterRestarts(of device: Device) throws(PostgresError) -> [String] {
        try findings(
            """
            select to_char(treatment_date at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || ' (' || previous || ' to '
                   || log_file_id || ')'
            from (select treatment_date, log_file_id,
                         lag(log_file_id) over (order by treatment_date, log_file_id) as previous
                  from device_logs
                  where device_id = $1 and finish_flag is not null and log_file_id is not null) numbered
            where log_file_id < previous
            order by treatment_date
            """, device)
    }

    /// Numbers that several logs have.
    package func repeatedNumbers(of device: Device) throws(PostgresError) -> [String] {
        try findings(
            """
            select log_file_id || ' (' || count(*) || ' times)'
            from device_logs
            where device_id = $1 and finish_flag is not null and log_file_id is not null
            group by log_file_id having count(*) > 1
            order by log_file_id
            """, device)
    }

    private func findings(_ sql: String, _ device: Device) throws(PostgresError) -> [String] {
        try session.query(sql, [String(device.id)]).compactMap { $0.first ?? nil }
    }
}
