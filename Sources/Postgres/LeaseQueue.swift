import Concurrency
import DequeModule
import EventLoop

/// The idle connections of a pool, and the transactions that wait for one.
///
/// Owned by its pool. `@unchecked Sendable`: confined to the pool's loop, which every entry checks.
final class LeaseQueue: @unchecked Sendable {
    private struct Waiter {
        let number: Int
        let since: MonotonicTime
        let deadline: MonotonicTime
        let continuation: UnsafeContinuation<Result<PostgresConnection, PostgresError>, Never>
    }

    /// A transaction that gets a connection must have time left to use it: a connection that is abandoned in the middle of a
    /// statement has to be opened again, just when connections are scarce.
    private static let reserve = Duration.milliseconds(50)

    private let loop: EventLoop
    private let statistics: PostgresStatistics
    private let availability: DatabaseAvailability
    private let maximumWait: Duration
    private let maximumWaiting: Int
    private var idle: [PostgresConnection] = []
    private var waiters: Deque<Waiter> = []
    private var isClosed = false
    private var lastNumber = 0

    init(
        _ configuration: PostgresConfiguration, loop: EventLoop, statistics: PostgresStatistics,
        availability: DatabaseAvailability
    ) {
        self.loop = loop
        self.statistics = statistics
        self.availability = availability
        maximumWait = configuration.connectionWait
        maximumWaiting = configuration.maximumWaiting
    }

    /// Leases a connection, which the caller returns by ``offer(_:)``.
    ///
    /// - Throws: ``PostgresError`` of the kinds `.connection`, `.timeout` and `.poolExhausted`.
    func lease(until deadline: MonotonicTime) async throws(PostgresError) -> PostgresConnection {
        loop.assertCurrent()
        let last = deadline + (.zero - Self.reserve)
        guard MonotonicTime.now() < last else {
            throw PostgresError(kind: .timeout, message: "the deadline of the request has passed")
        }
        guard !Task.isCancelled else { throw Self.cancelled }
        guard !availability.isUnavailable else { throw .knownUnavailable }
        while let connection = idle.popLast() {
            guard connection.isOpen else { continue }
            statistics.waited(.zero)
            return connection
        }
        guard !isClosed, waiters.count < maximumWaiting else {
            throw PostgresError(kind: .poolExhausted, message: "too many requests wait for a connection")
        }
        lastNumber += 1
        let number = lastNumber
        return try await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                waiters.append(
                    Waiter(
                        number: number, since: .now(), deadline: min(last, .now() + maximumWait),
                        continuation: continuation))
            }
        } onCancel: {
            loop.execute { self.cancel(number) }
        }.get()
    }

    private static let cancelled = PostgresError(kind: .timeout, message: "the request was cancelled")

    private func cancel(_ number: Int) {
        loop.assertCurrent()
        guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
        end(waiters.remove(at: index), .failure(Self.cancelled))
    }

    private func end(_ waiter: Waiter, _ outcome: Result<PostgresConnection, PostgresError>) {
        statistics.waited(.now() - waiter.since)
        waiter.continuation.resume(returning: outcome)
    }

    /// Passes a connection to the transaction that has waited longest, or keeps it for the next one.
    func offer(_ connection: PostgresConnection) {
        loop.assertCurrent()
        assert(!idle.contains { $0 === connection }, "a connection is offered twice")
        expire(at: .now())
        if let waiter = waiters.popFirst() {
            end(waiter, .success(connection))
        } else {
            idle.append(connection)
        }
    }

    /// The numbers of idle connections and of waiting transactions.
    var counts: (idle: Int, waiting: Int) {
        loop.assertCurrent()
        return (idle.count, waiters.count)
    }

    /// Forgets a connection that was lost.
    func withdraw(_ connection: PostgresConnection?) {
        loop.assertCurrent()
        idle.removeAll { $0 === connection }
    }

    /// Fails the transactions that have waited too long.
    func expire(at now: MonotonicTime) {
        loop.assertCurrent()
        guard waiters.contains(where: { $0.deadline <= now }) else { return }
        let late = waiters.filter { $0.deadline <= now }
        waiters.removeAll { $0.deadline <= now }
        let error = PostgresError(kind: .poolExhausted, message: "no connection within the time to wait for one")
        for waiter in late { end(waiter, .failure(error)) }
    }

    /// Fails all transactions that wait.
    func fail(_ reason: PostgresError) {
        loop.assertCurrent()
        let left = waiters
        waiters = []
        for waiter in left { end(waiter, .failure(reason)) }
    }

    /// Fails all transactions that wait, and all later ones.
    func close(_ reason: PostgresError) {
        isClosed = true
        fail(reason)
    }
}
