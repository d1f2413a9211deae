import Concurrency
import EventLoop
import Glibc
import LUXTestSupport
import Testing

@testable import Postgres

/// A pool on a loop of its own, on an empty database of its own.
final class PoolFixture: Sendable {
    let loop: EventLoop
    let pool: PostgresPool
    let database: TestDatabase
    /// The events of the pool's availability, in their order.
    let events = Locked<[DatabaseAvailability.Event]>([])

    init(
        connections: Int, schema: String = "", statementTimeout: Duration = .seconds(20),
        cluster: TestCluster = .shared,
        configure: (inout PostgresConfiguration) -> Void = { _ in }
    ) throws {
        database = try TestDatabase.makeEmpty(in: cluster)
        if !schema.isEmpty { try database.session().script(schema) }
        var configuration = PostgresConfiguration(
            connectionString: database.connectionString, statementTimeout: statementTimeout)
        configure(&configuration)
        loop = try EventLoop(label: "test.postgres")
        let availability = DatabaseAvailability { [events] event in events.withLock { $0.append(event) } }
        pool = PostgresPool(
            loop: loop, configuration: configuration, connections: connections, availability: availability
        ) { _ in }
        loop.start()
        pool.start()
    }

    deinit {
        pool.close()
        loop.stop()
    }

    /// Runs a task that may use the pool.
    func run<T: Sendable>(_ body: @escaping @Sendable (PostgresPool) async throws -> T) async throws -> T {
        let pool = pool
        return try await Task(executorPreference: loop) { try await body(pool) }.value
    }

    /// The error that the pool's work ends with.
    func error(_ body: @escaping @Sendable (PostgresPool) async throws -> Void) async throws -> PostgresError? {
        try await run { pool in
            do {
                try await body(pool)
                return nil
            } catch let error as PostgresError {
                return error
            }
        }
    }

    /// Reads until it succeeds, and returns how long that took.
    func timeUntilServed(_ query: PostgresQuery, within limit: Duration = Sanitizer.limit(.seconds(10))) async throws
        -> Duration
    {
        let start = MonotonicTime.now()
        while try await error({ _ = try await $0.read(query, deadline: .within(.seconds(1))) }) != nil {
            try #require(MonotonicTime.now() - start < limit)
            try await Task.sleep(for: .milliseconds(10))
        }
        return MonotonicTime.now() - start
    }

    /// Ends the sessions of the pool, as a failing database does.
    func terminateSessions() throws -> Int64 {
        try database.session().integer(
            """
            select count(pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            """)
    }

    /// The sessions of the pool that are in one of these states.
    func sessions(in states: String...) throws -> Int64 {
        try database.session().integer(
            """
            select count(*) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and state = any ($1::text[])
            """, ["{\"" + states.joined(separator: "\",\"") + "\"}"])
    }
}

extension MonotonicTime {
    static func within(_ duration: Duration) -> MonotonicTime { now() + duration }
}
