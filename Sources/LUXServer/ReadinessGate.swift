import Concurrency
import Postgres
import Synchronization

/// Decides whether `/readyz` reports that requests can be served. Owned by the server, called on any thread.
package final class ReadinessGate: Sendable {
    /// Through JSON: the column `compatible` came later than the table.
    static let state = PostgresStatement(
        "readiness",
        """
        select count(*) filter (where version = any($1)),
               count(*) filter (where version <> all($1)
                                and not coalesce((to_jsonb(m) ->> 'compatible')::boolean, false)),
               (pg_is_in_recovery() or current_setting('transaction_read_only') = 'on')::int::bigint
        from schema_migrations m
        """)

    private let isOpen = Atomic(false)
    private let versions: [Int64]

    /// - Parameter migrations: those that the program knows.
    package init(migrations: [Migration]) {
        versions = migrations.map { Int64($0.version) }
    }

    /// Called once the schema is the one that the program knows.
    func open() {
        isOpen.store(true, ordering: .releasing)
    }

    /// Called when the server is about to stop.
    package func close() {
        isOpen.store(false, ordering: .releasing)
    }

    /// Whether the database accepts writes, every known migration is applied, and any other is marked compatible.
    package func isReady(_ pool: PostgresPool, deadline: MonotonicTime) async -> Bool {
        guard isOpen.load(ordering: .acquiring) else { return false }
        let deadline = min(deadline, .now() + .milliseconds(900))
        guard let row = try? await pool.read(Self.state(.int8Array(versions)), deadline: deadline).first,
            let state = try? (applied: row.int8(0), strange: row.int8(1), readOnly: row.int8(2))
        else { return false }
        return state.applied == Int64(versions.count) && state.strange == 0 && state.readOnly == 0
    }
}
