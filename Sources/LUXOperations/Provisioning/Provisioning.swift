import Postgres

/// Loads rows of a CSV file into a table, all of them or none. What is there already stays as it is.
///
/// The rows go through `COPY` into a staging table, where all of them are checked by a few statements.
package struct Provisioning {
    /// What is wrong with a file, by line and column.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        package var line: Int
        package var column: String?
        package var reason: String

        package var description: String { "line \(line)" + (column.map { ", column \($0)" } ?? "") + ": \(reason)" }
    }

    /// The errors of a file, as far as they are reported.
    package struct Faults: Error, Equatable {
        /// More would not be read.
        package static let limit = 100

        /// In the order of the lines, at most ``limit``.
        package let faults: [Fault]
        /// Whether there are more.
        package let isCut: Bool

        package init(_ faults: [Fault]) {
            let sorted = faults.sorted { ($0.line, $0.column ?? "") < ($1.line, $1.column ?? "") }
            self.faults = Array(sorted.prefix(Self.limit))
            isCut = sorted.count > Self.limit
        }
    }

    /// What became of the rows.
    package struct Outcome: Equatable {
        package var added: Int
        /// Those that were there already and were left as they are.
        package var present: Int
        /// What is likely to be a mistake; the first ones.
        package var warnings: [Fault] = []
    }

    private let kind: Kind

    /// How many rows one statement inserts: enough to cost nothing, and few enough to see progress.
    private static let batch = 50_000

    /// "lux" and "prv" in ASCII. Two loads at once would not see each other's rows.
    private static let lockKey = "119204650943094"

    package init(_ kind: Kind) {
        self.kind = kind
    }

    /// Loads a file.
    ///
    /// - Parameters:
    ///   - isDryRun: whether all is checked and nothing is inserted.
    ///   - progress: receives the completed share, from 0 to 1.
    /// - Throws: ``Faults``, `PostgresError`; nothing of the file is loaded then.
    package func load(
        _ bytes: [UInt8], into session: PostgresSession, isDryRun: Bool = false,
        progress: (Double) -> Void = { _ in }
    ) throws -> Outcome {
        var file = try ProvisioningFile(bytes, kind)
        return try session.transaction {
            try session.query("select pg_advisory_xact_lock($1)", [Self.lockKey])
            try stage(&file, in: session, progress)
            let checks = ProvisioningChecks(kind: kind, columns: file.columns, session: session)
            let faults = try file.faults + checks.faults()
            guard faults.isEmpty else { throw Faults(faults) }
            let present = try removePresent(session)
            let outcome = Outcome(added: file.rows - present, present: present, warnings: file.warnings)
            if !isDryRun { try insert(file.columns, into: session, progress) }
            progress(1)
            return outcome
        }
    }

    private func stage(
        _ file: inout ProvisioningFile, in session: PostgresSession, _ progress: (Double) -> Void
    ) throws(PostgresError) {
        let all = kind.columns.map { "\($0.name) \($0.stagingType)" }.joined(separator: ", ")
        try session.execute(
            script: "create temporary table provision_rows (line bigint not null, \(all)) on commit drop")
        let names = file.columns.map(\.name).joined(separator: ", ")
        try session.copyIn("copy provision_rows (line, \(names)) from stdin") {
            progress(file.progress / 2)
            return file.nextPiece()
        }
        try session.execute(script: "create index on provision_rows (line); analyze provision_rows")
    }

    /// Takes the rows out of the staging table that are in the real one.
    ///
    /// - Returns: how many.
    private func removePresent(_ session: PostgresSession) throws(PostgresError) -> Int {
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

    private func insert(
        _ columns: [Column], into session: PostgresSession, _ progress: (Double) -> Void
    ) throws(PostgresError) {
        try advanceSequence(session)
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
            progress(0.5 + 0.5 * Double(start - first) / Double(last - first + 1))
        }
    }

    /// Rows without an id get one above all that the file and the table have. Never turned back: numbers beyond the highest
    /// row may belong to transactions in flight.
    private func advanceSequence(_ session: PostgresSession) throws(PostgresError) {
        try session.query(
            """
            select setval(sequence, highest)
            from (select pg_get_serial_sequence($1, 'id')::regclass as sequence,
                         (select max(id) from provision_rows) as highest) s
            where highest > coalesce(pg_sequence_last_value(sequence), 0)
            """, [kind.table])
    }
}
