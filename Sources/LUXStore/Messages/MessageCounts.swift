import Postgres

/// Messages by account and outcome, for `lux-server alimtalk report`. Owned by its command.
package enum MessageCounts {
    /// The names of the columns of ``rows(since:isAge:timeZone:_:)``.
    package static let columns = [
        "user", "messages", "sent", "failed", "unknown", "pending", "delivered", "undelivered",
    ]

    private static let query = """
        select coalesce(user_id::text, '-'), count(*), count(*) filter (where status = 'sent'),
          count(*) filter (where status = 'failed'), count(*) filter (where status = 'unknown'),
          count(*) filter (where status = 'pending'), count(*) filter (where delivery = 'delivered'),
          count(*) filter (where delivery = 'undelivered')
        from alimtalks where created_at >= SINCE
        group by user_id order by count(*) desc, user_id
        """

    /// One row for each account, the one with most messages first.
    ///
    /// - Parameters:
    ///   - start: a time, or with `isAge` an interval before now, both as PostgreSQL reads them.
    ///   - timeZone: the zone of a time without an offset.
    /// - Throws: `PostgresError`.
    package static func rows(
        since start: String, isAge: Bool, timeZone: String, _ session: PostgresSession
    ) throws(PostgresError) -> [[String]] {
        try session.query("select set_config('timezone', $1, false)", [timeZone])
        let bound = isAge ? "now() - $1::interval" : "$1::timestamptz"
        return try session.query(query.replacing("SINCE", with: bound), [start]).map { $0.map { $0 ?? "" } }
    }
}
