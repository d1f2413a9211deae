import Postgres

/// The SQL of provisioning: rows go through `COPY` into a staging table, where all of them are checked by a few statements. Owned by
/// one command and used on its thread, within one transaction; every method throws `PostgresError`.
package struct ProvisioningStore {
    private let kind: ProvisioningKind
    /// The columns of the file, in its order.
    private let columns: [ProvisioningColumn]
    private let corrections: ProvisioningCorrections
    private let session: PostgresSession

    /// Rows inserted by one statement: enough to amortise its cost, and few enough to show progress.
    private static let batch = 50_000

    /// "lux" and "prv" in ASCII. Two loads at the same time would not see each other's rows.
    private static let lockKey = "119204650943094"

    package init(
        kind: ProvisioningKind, columns: [ProvisioningColumn], corrections: ProvisioningCorrections,
        session: PostgresSession
    ) {
        self.kind = kind
        self.columns = columns
        self.corrections = corrections
        self.session = session
    }

    /// Waits for another load to end, and fills the staging table.
    ///
    /// - Parameter next: returns the next rows in the text format of `COPY`, each with its line first; `nil` at the end.
    package func stage(_ next: () -> [UInt8]?) throws(PostgresError) {
        try session.query("select pg_advisory_xact_lock($1)", [Self.lockKey])
        let all = kind.columns.map { "\($0.name) \($0.stagingType)" }.joined(separator: ", ")
        try session.execute(
            script: "create temporary table provision_rows (line bigint not null, \(all)) on commit drop")
        let names = columns.map(\.name).joined(separator: ", ")
        try session.copyIn("copy provision_rows (line, \(names)) from stdin", next)
        try session.execute(script: "create index on provision_rows (line); analyze provision_rows")
    }

    /// The errors of the staged rows. Devices that are to be corrected are locked from here on.
    package func errors() throws(PostgresError) -> [ProvisioningError] {
        if corrections.isAny, !differing.isEmpty {
            try session.query(
                """
                select count(*) from (select t.id from provision_rows s join \(kind.table) t on \(kind.isSame("t", "s"))
                                      where \(differing) order by t.id for no key update of t) locked
                """)
        }
        return try ProvisioningChecks(
            kind: kind, columns: columns, corrections: corrections, session: session
        ).errors()
    }

    // MARK: Corrections

    private var correctable: [String] { columns.map(\.name).filter(kind.correctable.contains) }

    private static func differs(_ column: String) -> String {
        "s.\(column) is not null and t.\(column) is distinct from s.\(column)"
    }

    /// Whether a row `s` of the file differs from device `t`; SQL, empty when the file has no such column.
    private var differing: String {
        correctable.map { "(\(Self.differs($0)))" }.joined(separator: " or ")
    }

    /// Passes on each difference: the line of the file, the device, the column, its value and the file's.
    ///
    /// - Throws: `PostgresError`, what `body` throws.
    package func differences(_ body: (String) throws -> Void) throws {
        guard corrections.isAny, !differing.isEmpty else { return }
        let parts = correctable.map { column in
            """
            select s.line, t.unique_id, '\(column)' as name, t.\(column)::text as old, s.\(column)::text as new
            from provision_rows s join devices t on \(kind.isSame("t", "s")) where \(Self.differs(column))
            """
        }
        try session.stream(
            """
            select format('line %s, device %s: %s %s -> %s', line, unique_id, name, coalesce(old, 'none'), new)
            from (\(parts.joined(separator: " union all "))) differences order by line, name
            """, []
        ) { row in
            if let text = row.first ?? nil { try body(text) }
        }
    }

    /// Corrects the devices that differ, each with a row in `support_actions`.
    ///
    /// - Returns: how many.
    package func correct(by operatorName: String) throws(PostgresError) -> Int {
        guard corrections.isAny, !differing.isEmpty else { return 0 }
        let values = correctable.map { "\($0) = coalesce(c.new_\($0), d.\($0))" }.joined(
            separator: ", ")
        let new = correctable.map { ", s.\($0) as new_\($0)" }.joined()
        let details = correctable.map { column in
            """
             || case when \(Self.differs(column))
                then jsonb_build_object('\(column)', jsonb_build_object('from', t.\(column), 'to', s.\(column)))
                else '{}' end
            """
        }
        let rows = try session.query(
            """
            with changed as materialized (
                select t.id, t.unique_id\(new),
                       case when t.real_user_id is null then '{}'::jsonb
                           else jsonb_build_object('real_user_id', t.real_user_id) end\(details.joined()) as detail
                from provision_rows s join devices t on \(kind.isSame("t", "s")) where \(differing)
            ), updated as (update devices d set \(values) from changed c where d.id = c.id),
            recorded as (
                insert into support_actions (device_id, unique_id, action, operator, detail)
                select id, unique_id, 'provision', $1, detail from changed order by id returning 1
            )
            select count(*) from recorded
            """, [operatorName])
        return rows.first?.first?.flatMap { Int($0) } ?? 0
    }

    // MARK: New rows

    /// Deletes the staged rows that exist already.
    ///
    /// - Returns: how many.
    package func removePresent() throws(PostgresError) -> Int {
        var count = 0
        for match in kind.matches {
            let removed = try session.query(
                """
                with removed as (delete from provision_rows s using \(kind.table) t where \(match) returning 1)
                select count(*) from removed
                """)
            count += removed.first?.first?.flatMap { Int($0) } ?? 0
        }
        return count
    }

    /// Inserts the staged rows that are left.
    ///
    /// - Parameter progress: receives the completed share, from 0 to 1.
    package func insert(_ progress: (Double) -> Void) throws(PostgresError) {
        try advanceSequence()
        let range = try session.query("select min(line), max(line) from provision_rows").first?.map {
            $0.flatMap { Int($0) }
        }
        guard let range, range.count == 2, let first = range[0], let last = range[1] else { return }
        // A row without an id gets one even where the file has no such column, in the order of the lines.
        for start in stride(from: first, through: last, by: Self.batch) {
            try session.query(
                """
                insert into \(kind.table) (\(columns.map(\.name).joined(separator: ", ")))
                select \(columns.map(\.value).joined(separator: ", ")) from provision_rows s
                where line >= $1 and line < $2 order by line
                """, [String(start), String(start + Self.batch)])
            progress(Double(start - first) / Double(last - first + 1))
        }
    }

    /// Rows without an id get one above all that the file and the table have. Sequences are never lowered: numbers above the
    /// highest row may belong to transactions in flight.
    private func advanceSequence() throws(PostgresError) {
        try session.query(
            """
            select setval(sequence, highest)
            from (select pg_get_serial_sequence($1, 'id')::regclass as sequence,
                         (select max(id) from provision_rows) as highest) s
            where highest > coalesce(pg_sequence_last_value(sequence), 0)
            """, [kind.table])
    }
}
