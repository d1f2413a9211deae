import Concurrency
import EventLoop
import Postgres

/// The tables of LUX, through the database connections of one event loop.
///
/// A value, created once for each loop; ``store(deadline:)`` returns the view of one request.
package struct DeviceDatabase: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// The tables as one request sees them.
    ///
    /// - Parameter deadline: of the response of the database.
    package func store(deadline: MonotonicTime) -> DeviceStore {
        DeviceStore(pool: pool, deadline: deadline)
    }

    /// The loop, for tasks that use the connections and outlive their request.
    package var executor: any TaskExecutor { pool.loop }

    /// Runs `body`; its slow statements are logged with the id of the request.
    @inlinable package static func attributing<T>(
        to requestID: String?, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T
    ) async rethrows -> T {
        try await PostgresCaller.$name.withValue(requestID, operation: body, isolation: isolation)
    }
}

/// An error of the store that the caller did not cause.
package protocol StoreError: Error {
    /// Whether a retry may succeed later: the database is out of reach, overloaded, starting, stopping or read-only.
    var isUnavailable: Bool { get }
}

extension PostgresError: StoreError {}
