import Postgres

/// The SQL that erases a person. Each statement finds its rows by an index and changes a limited number of them. Owned by one
/// command and used on its thread; every method throws `PostgresError`.
package struct PersonStore {
    /// Small enough for a statement of a few milliseconds, which delays no other client.
    package static let batch = 1_000

    package let session: PostgresSession

    package init(session: PostgresSession) {
        self.session = session
    }

    package func exists(_ person: Person) throws(PostgresError) -> Bool {
        switch person {
        case .user(let id): try !session.query("select from users where id = $1", [String(id)]).isEmpty
        case .child(let id): try !session.query("select from real_users where id = $1", [String(id)]).isEmpty
        }
    }

    /// The child itself, or the children of the account.
    package func children(of person: Person) throws(PostgresError) -> [Int64] {
        switch person {
        case .child(let id): [id]
        case .user(let id):
            try session.query("select id from real_users where root_user_id = $1 order by id", [String(id)])
                .compactMap { $0.first?.flatMap { Int64($0) } }
        }
    }

    /// Deletes logs of a child, the oldest first.
    ///
    /// - Returns: how many; fewer than ``batch`` when none is left.
    package func deleteLogs(ofChild id: Int64) throws(PostgresError) -> Int {
        try count(
            """
            delete from device_logs where id = any (array(
                select id from device_logs where real_user_id = $1 order by treatment_date, id limit $2::int))
            """, [String(id)])
    }

    /// Removes the account from its messages, which stay countable by time, provider and status.
    package func anonymizeMessages(ofUser id: Int64) throws(PostgresError) -> Int {
        try count(
            """
            update alimtalks set user_id = null, message_id = null, error = null, idempotency_key = null
            where id = any (array(select id from alimtalks where user_id = $1 order by created_at limit $2::int))
            """, [String(id)])
    }

    /// Removes a child from the support actions for its devices.
    package func anonymizeSupportActions(ofChild id: Int64) throws(PostgresError) -> Int {
        try count(
            """
            update support_actions set detail = detail - 'real_user_id' - 'root_user_id'
            where id = any (array(select id from support_actions where detail ->> 'real_user_id' = $1 limit $2::int))
            """, [String(id)])
    }

    /// Removes a person from the access records. The record of the erasure itself refers to no person and keeps the id in its text.
    package func anonymizeAccessRecords(of person: Person) throws(PostgresError) -> Int {
        let kind = person.kind
        let column = "\(kind)_id"
        return try count(
            #"""
            update access_records
            set \#(column) = null, subject = regexp_replace(subject, '\m\#(kind) \#(person.id)\M', '\#(kind) (erased)', 'g')
            where id = any (array(select id from access_records where \#(column) = $1 limit $2::int))
            """#, [String(person.id)])
    }

    /// Deletes the row of a child or an account, which no other row may reference any more.
    package func delete(_ person: Person) throws(PostgresError) {
        switch person {
        case .user(let id): try session.query("delete from users where id = $1", [String(id)])
        case .child(let id): try session.query("delete from real_users where id = $1", [String(id)])
        }
    }

    /// Keeps devices from being connected to a child until the transaction ends.
    package func lock(child id: Int64) throws(PostgresError) {
        try session.query("select from real_users where id = $1 for update", [String(id)])
    }

    /// Keeps messages of an account from being requested until the transaction ends.
    package func lock(user id: Int64) throws(PostgresError) {
        try session.query("select from users where id = $1 for update", [String(id)])
    }

    /// - Parameter sql: a statement that takes the size of a batch as `$2`.
    private func count(_ sql: String, _ parameters: [String]) throws(PostgresError) -> Int {
        let rows = try session.query(
            "with changed as (\(sql) returning 1) select count(*) from changed", parameters + [String(Self.batch)])
        return rows.first?.first?.flatMap { Int($0) } ?? 0
    }
}
