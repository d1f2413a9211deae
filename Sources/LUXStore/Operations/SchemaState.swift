import Concurrency
import Postgres

/// Which migrations a database has, and whether it accepts writes: what `/readyz` depends on. A value.
package struct SchemaState: Sendable {
    /// Number of the program's migrations that are applied.
    package let applied: Int
    /// Number of other applied migrations that are not marked compatible.
    package let incompatible: Int
    package let isReadOnly: Bool

    /// Through JSON: the column `compatible` came later than the table.
    package static let statement = PostgresStatement(
        "readiness",
        """
        select count(*) filter (where version = any($1)),
               count(*) filter (where version <> all($1)
                                and not coalesce((to_jsonb(m) ->> 'compatible')::boolean, false)),
               (pg_is_in_recovery() or current_setting('transaction_read_only') = 'on')::int::bigint
        from schema_migrations m
        """)

    /// Reads it, as one read of the pool; `nil` when the database does not respond in time.
    ///
    /// - Parameter versions: the migrations that the program knows.
    package static func read(_ versions: [Int64], _ pool: PostgresPool, deadline: MonotonicTime) async -> SchemaState? {
        guard let row = try? await pool.read(statement(.int8Array(versions)), deadline: deadline).first,
            let (applied, incompatible, isReadOnly) = try? (row.int8(0), row.int8(1), row.int8(2))
        else { return nil }
        return SchemaState(applied: Int(applied), incompatible: Int(incompatible), isReadOnly: isReadOnly != 0)
    }
}
