import Postgres

/// The kinds of data with a retention period.
package enum RetainedData: String, CaseIterable, Sendable {
    case logs, messages, audit, keys
}

/// The SQL that deletes what is older than a number of days. Each statement finds its rows by an index and changes a limited number
/// of them. Owned by one command and used on its thread; every method throws `PostgresError`.
package struct RetentionStore {
    private static let batch = 1_000
    /// Number of children that one statement processes.
    private static let page = 1_000

    private let session: PostgresSession

    package init(session: PostgresSession) {
        self.session = session
    }

    /// The statements of one kind of data: `$1` is the age in days, `$2` the size of a batch.
    private struct Statements {
        /// The condition of the rows, in a table.
        let old: String
        /// Changes a batch of them.
        let change: String
        let table: String
    }

    private static func statements(_ data: RetainedData) -> [Statements] {
        switch data {
        // By child, see below.
        case .logs: return []
        case .messages:
            // Unsettled messages are kept for `alimtalk reconcile`, which looks back 30 days.
            let old = """
                created_at < now() - make_interval(days => $1::int)
                and (status in ('sent', 'failed') or created_at < now() - interval '30 days')
                """
            return [statements("delete from alimtalks", "alimtalks", old)]
        case .keys:
            let old = "idempotency_key is not null and created_at < now() - make_interval(days => $1::int)"
            return [statements("update alimtalks set idempotency_key = null", "alimtalks", old)]
        case .audit:
            let old = "created_at < now() - make_interval(days => $1::int)"
            return ["support_actions", "access_records"].map { statements("delete from \($0)", $0, old) }
        }
    }

    private static func statements(_ change: String, _ table: String, _ old: String) -> Statements {
        Statements(
            old: old,
            change: """
                \(change) where id = any (array(
                    select id from \(table) where \(old) order by created_at limit $2::int for update skip locked))
                """, table: table)
    }

    // MARK: By time

    /// Number of rows that are older.
    package func count(_ data: RetainedData, olderThan days: Int) throws(PostgresError) -> Int {
        if data == .logs { return try countLogs(olderThan: days) }
        var count = 0
        for part in Self.statements(data) {
            count += try integer("select count(*) from \(part.table) where \(part.old)", [String(days)]) ?? 0
        }
        return count
    }

    /// Deletes what is older, in batches.
    ///
    /// - Parameter batch: executes its argument, which returns how many rows were deleted, in a transaction of its own.
    /// - Throws: what `batch` throws.
    package func delete(
        _ data: RetainedData, olderThan days: Int, batch: (() throws(PostgresError) -> Int) throws -> Int
    ) throws {
        if data == .logs { return try deleteLogs(olderThan: days, batch: batch) }
        for part in Self.statements(data) {
            let sql = Self.counted(part.change)
            while try batch({ () throws(PostgresError) in try integer(sql, [String(days), String(Self.batch)]) ?? 0 })
                == Self.batch
            {}
        }
    }

    // MARK: Logs

    // There is no index on the time alone, since every upload would pay for it: each child's logs are found by the index that
    // begins with the child. Rows that an upload has locked are left for the next run, so that neither waits for the other.

    private static let oldLogs = """
        select l.id
        from (select id from real_users where id > $1 order by id limit $3::int) c
        cross join lateral (
            select id from device_logs
            where real_user_id = c.id and treatment_date < now() - make_interval(days => $2::int)
            order by treatment_date, id
        """

    private static let deleteLogs = counted(
        """
        delete from device_logs where id = any (array(
            \(oldLogs) limit $4::int for update skip locked) l limit $4::int))
        """)

    private func deleteLogs(
        olderThan days: Int, batch: (() throws(PostgresError) -> Int) throws -> Int
    ) throws {
        var last: Int? = 0
        while let child = last {
            let parameters = [child, days, Self.page, Self.batch].map { String($0) }
            while try batch({ () throws(PostgresError) in try integer(Self.deleteLogs, parameters) ?? 0 }) == Self.batch
            {}
            last = try endOfPage(after: child)
        }
    }

    private func countLogs(olderThan days: Int) throws(PostgresError) -> Int {
        var count = 0
        var last: Int? = 0
        while let child = last {
            let parameters = [child, days, Self.page].map { String($0) }
            count += try integer("select count(*) from (\(Self.oldLogs)) l) logs", parameters) ?? 0
            last = try endOfPage(after: child)
        }
        return count
    }

    /// The last child of a page; `nil` when there is none.
    private func endOfPage(after child: Int) throws(PostgresError) -> Int? {
        try integer(
            "select max(id) from (select id from real_users where id > $1 order by id limit $2::int) c",
            [String(child), String(Self.page)])
    }

    private static func counted(_ change: String) -> String {
        "with changed as (\(change) returning 1) select count(*) from changed"
    }

    private func integer(_ sql: String, _ parameters: [String]) throws(PostgresError) -> Int? {
        try session.query(sql, parameters).first?.first?.flatMap { Int($0) }
    }
}
