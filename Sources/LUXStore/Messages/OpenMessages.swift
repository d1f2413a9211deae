import LUX
import Postgres

/// The rows of messages of unknown outcome, for the commands that settle them. Blocking; stays on the thread of its session.
package struct OpenMessages {
    /// A row whose message may have been accepted or not.
    package struct Row: Sendable, Equatable {
        package var id: Int64
        package var userID: Int64
        package var createdAt: Timestamp
        /// The account's number today, as it is stored.
        package var phoneNumber: String?
    }

    /// The result of ``settleByHand(id:status:operator:longestCall:)``.
    package enum Settlement: Sendable, Equatable {
        case done(userID: Int64?)
        /// There is no such row.
        case missing
        /// The row has this status already.
        case settled(String)
        /// The message may be in flight.
        case inFlight
    }

    private let session: PostgresSession

    package init(session: PostgresSession) {
        self.session = session
    }

    /// The key of the advisory lock: "lux" and "rec" in ASCII.
    private static let lockKey = String(0x6C_75_78_72_65_63)

    /// Acquires the right to look messages up, which one process has at a time, for the life of the session.
    ///
    /// - Returns: `false` when another process holds it.
    /// - Throws: `PostgresError`.
    package func acquire() throws(PostgresError) -> Bool {
        try session.query("select pg_try_advisory_lock($1)", [Self.lockKey]).first?.first == "t"
    }

    /// The rows that are older than a number of seconds and not older than 30 days, the oldest first.
    ///
    /// - Throws: `PostgresError`.
    package func rows(of provider: String, olderThan seconds: Int) throws(PostgresError) -> [Row] {
        let found = try session.query(
            """
            select a.id, a.user_id, (extract(epoch from a.created_at) * 1000000)::bigint, u.phone_number
            from alimtalks a left join users u on u.id = a.user_id
            where a.provider = $1 and a.status in ('pending', 'unknown')
              and a.created_at < now() - make_interval(secs => $2) and a.created_at > now() - interval '30 days'
            order by a.id
            """, [provider, String(seconds)])
        return found.compactMap { row in
            guard row.count == 4, let id = row[0].flatMap({ Int64($0) }), let user = row[1].flatMap({ Int64($0) }),
                let created = row[2].flatMap({ Int64($0) })
            else { return nil }
            return Row(id: id, userID: user, createdAt: Timestamp(microseconds: created), phoneNumber: row[3])
        }
    }

    /// Number of rows that are too old to be looked up.
    ///
    /// - Throws: `PostgresError`.
    package func countForgotten(of provider: String) throws(PostgresError) -> Int {
        let rows = try session.query(
            """
            select count(*) from alimtalks
            where provider = $1 and status in ('pending', 'unknown') and created_at <= now() - interval '30 days'
            """, [provider])
        return rows.first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0
    }

    /// The ids of messages that belong to other rows: those of the account within a day of this one, and those of all accounts within
    /// an hour, as the account may have had another number.
    ///
    /// - Throws: `PostgresError`.
    package func otherMessageIDs(of row: Row, provider: String) throws(PostgresError) -> Set<String> {
        let rows = try session.query(
            """
            select message_id from alimtalks
            where provider = $2 and id <> $3 and message_id is not null
              and (user_id = $1 and created_at between timestamptz 'epoch' + ($4::bigint - 86400000000) * interval '1 microsecond'
                                                   and timestamptz 'epoch' + ($4::bigint + 86400000000) * interval '1 microsecond'
                or created_at between timestamptz 'epoch' + ($4::bigint - 3600000000) * interval '1 microsecond'
                                  and timestamptz 'epoch' + ($4::bigint + 3600000000) * interval '1 microsecond')
            """, [String(row.userID), provider, String(row.id), String(row.createdAt.microseconds)])
        return Set(rows.compactMap { $0.first ?? nil })
    }

    /// Records what a look-up found.
    ///
    /// - Returns: `false` when the row has been settled in the meantime.
    /// - Throws: `PostgresError`.
    package func settle(id: Int64, status: String, messageID: String?, error: String?) throws(PostgresError) -> Bool {
        let rows = try session.query(
            """
            update alimtalks set status = $2, message_id = $3, error = $4
            where id = $1 and status in ('pending', 'unknown') returning id
            """, [String(id), status, messageID, error])
        return !rows.isEmpty
    }

    /// Records what an operator found out.
    ///
    /// - Parameter longestCall: seconds for which a pending message may be in flight.
    /// - Throws: `PostgresError`.
    package func settleByHand(
        id: Int64, status: String, operator name: String, longestCall: Int
    ) throws(PostgresError) -> Settlement {
        let changed = try session.query(
            """
            update alimtalks
            set status = $2, error = concat_ws('; ', error, 'settled as ' || $2 || ' by ' || $3::text)
            where id = $1 and (status = 'unknown'
              or status = 'pending' and created_at < now() - make_interval(secs => $4)) returning user_id
            """, [String(id), status, name, String(longestCall)])
        if let row = changed.first { return .done(userID: row.first.flatMap { $0 }.flatMap { Int64($0) }) }
        guard let status = try session.query("select status from alimtalks where id = $1", [String(id)]).first?.first
        else { return .missing }
        return status == "pending" || status == "unknown" ? .inFlight : .settled(status ?? "")
    }
}
