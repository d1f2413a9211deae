import Concurrency
import EventLoop
import LUX
import Postgres

/// The tables of LUX as one request sees them.
///
/// A value for each request: the loop's connections and the deadline of the request. Its functions throw `LUXError` for what
/// the product rejects, else ``StoreError``.
package struct DeviceStore: Sendable {
    let pool: PostgresPool
    /// The deadline of the database.
    let deadline: MonotonicTime

    init(pool: PostgresPool, deadline: MonotonicTime) {
        self.pool = pool
        self.deadline = deadline
    }

    func read(_ query: PostgresQuery) async throws(PostgresError) -> PostgresRows {
        try await pool.read(query, deadline: deadline)
    }

    /// Runs a transaction; until the deadline it is retried when a row is locked for longer than the session's `lock_timeout`,
    /// so that transactions that wait for locks do not exhaust the connections.
    func transaction<T>(_ body: (PostgresTransaction) async throws -> T) async throws -> T {
        while true {
            do {
                return try await pool.transaction(deadline: deadline, body)
            } catch let error as PostgresError where error.isLockNotAvailable && .now() < deadline {
                try await Task.sleep(for: .milliseconds(Int.random(in: 10...50)))
            }
        }
    }
}
