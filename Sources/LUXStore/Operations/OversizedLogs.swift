import Postgres

/// Finds logs with numbers beyond the limits of uploads, stored before there were limits. As text, as a backup or an export writes
/// it, such a number can have 131,072 digits, and the row more than PostgreSQL can write. Owned by its command.
package enum OversizedLogs {
    /// Numbers are compared and their scale is read; none is ever converted to text.
    private static let query = """
        select l.id, l.device_id, d.unique_id, l.real_user_id,
               to_char(l.treatment_date at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as treatment_date, n.numbers
        from device_logs l join devices d on d.id = l.device_id,
             lateral (
                 select count(*) as numbers
                 from (select case jsonb_typeof(v) when 'number' then v::numeric end as number
                       from jsonb_path_query(l.detail_data, 'strict $.**') v) numbers
                 where abs(number) >= 1.8e308 or number <> 0 and abs(number) < 2e-324 or scale(number) > 800
             ) n
        where n.numbers > 0
        order by l.id
        """

    /// Writes them as CSV.
    ///
    /// - Parameter count: grows with each log that was written.
    /// - Throws: `PostgresError`, what `write` throws.
    package static func run(
        _ session: PostgresSession, count: inout Int, _ write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try CSVCopy.run(query, session, count: &count, write)
    }
}
