import Postgres

/// Finds the rows of the staging table that the real one would reject, or that differ from it. Used by ``ProvisioningStore``, on its
/// thread.
struct ProvisioningChecks {
    let kind: ProvisioningKind
    let columns: [ProvisioningColumn]
    let corrections: ProvisioningCorrections
    let session: PostgresSession

    /// One more than is reported, to know whether there are more.
    private static let limit = ProvisioningErrors.limit + 1

    /// The errors; of each check the first ones by line.
    func errors() throws(PostgresError) -> [ProvisioningError] {
        var errors: [ProvisioningError] = []
        for column in columns where column.content == .timestamp { errors += try badTimes(column) }
        for column in columns where column.name == "id" || column.name == "unique_id" {
            errors += try repeated(column.name)
        }
        if kind != .devices { errors += try repeatedWithoutID() }
        for column in columns { errors += try missing(column) }
        for column in columns where kind.fixed.contains(column.name) {
            errors += try different(column.name)
        }
        if kind == .devices, columns.contains(where: { $0.name == "id" }) { errors += try taken() }
        return errors
    }

    /// Casts all rows in one statement, at little cost; only if that fails is each row cast alone.
    private func badTimes(_ column: ProvisioningColumn) throws(PostgresError) -> [ProvisioningError] {
        try session.execute(script: "savepoint times")
        do throws(PostgresError) {
            try session.query("select max(\(column.name)::timestamptz) from provision_rows")
            return []
        } catch {
            // 22: data exception.
            guard error.kind == .server, error.sqlState?.hasPrefix("22") == true else { throw error }
        }
        try session.execute(
            script: """
                rollback to savepoint times;
                create or replace function pg_temp.is_timestamptz(value text) returns boolean language plpgsql as $$
                begin
                    perform value::timestamptz;
                    return true;
                exception when data_exception then
                    return false;
                end $$
                """)
        return try errors(column.name, "must be a timestamptz") {
            "select line from provision_rows where not pg_temp.is_timestamptz(\(column.name)) \($0)"
        }
    }

    private func repeated(_ column: String) throws(PostgresError) -> [ProvisioningError] {
        try errors(column, "is on line %s already") {
            """
            select s.line, f.first
            from provision_rows s
            join (select \(column), min(line) as first from provision_rows group by 1 having count(*) > 1) f using (\(column))
            where s.line > f.first \($0)
            """
        }
    }

    /// A row without an id whose identifying values equal those of another row of the file.
    private func repeatedWithoutID() throws(PostgresError) -> [ProvisioningError] {
        try errors(kind.key, "is on line %s already, and the row has no id that distinguishes it") {
            """
            select s.line, min(o.line)
            from provision_rows s
            join provision_rows o on \(kind.isSame("o", "s")) and o.line <> s.line and (o.line < s.line or o.id is not null)
            where s.id is null group by s.line \($0)
            """
        }
    }

    private func missing(_ column: ProvisioningColumn) throws(PostgresError) -> [ProvisioningError] {
        guard let table = column.references else { return [] }
        return try errors(column.name, "names a row that does not exist") {
            """
            select line from provision_rows s
            where s.\(column.name) is not null and not exists (select from \(table) t where t.id = s.\(column.name)) \($0)
            """
        }
    }

    /// An existing row with another value, which may not be corrected.
    private func different(_ column: String) throws(PostgresError) -> [ProvisioningError] {
        var errors: [ProvisioningError] = []
        let isAllowed = kind == .devices ? corrections.condition(of: column) : "false"
        for match in kind.matches {
            errors += try self.errors(column, "differs from the existing row\(hint(column))") {
                """
                select s.line from provision_rows s join \(kind.table) t on \(match)
                where s.\(column) is not null and t.\(column) is distinct from s.\(column) and not (\(isAllowed)) \($0)
                """
            }
        }
        return errors
    }

    private func hint(_ column: String) -> String {
        guard kind.correctable.contains(column) else { return "" }
        if !corrections.ofUnconnected { return "; --update corrects devices that are not connected" }
        return ", whose device is connected"
            + (ProvisioningCorrections.codes.contains(column) ? "; --replace-codes corrects it" : "")
    }

    /// An id that another device has.
    private func taken() throws(PostgresError) -> [ProvisioningError] {
        try errors("id", "is another device's already") {
            "select s.line from provision_rows s join devices t on t.id = s.id where t.unique_id <> s.unique_id \($0)"
        }
    }

    /// - Parameter reason: `%s` is replaced by the second column of the result.
    private func errors(
        _ column: String, _ reason: String, _ sql: (String) -> String
    ) throws(PostgresError) -> [ProvisioningError] {
        try session.query(sql("order by 1 limit \(Self.limit)")).map { row in
            let parts = reason.split(separator: "%s", omittingEmptySubsequences: false)
            return ProvisioningError(
                line: row.first?.flatMap { Int($0) } ?? 0, column: column,
                reason: parts.joined(separator: row.dropFirst().first.flatMap { $0 } ?? ""))
        }
    }
}
