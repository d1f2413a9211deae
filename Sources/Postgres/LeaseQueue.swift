import DequeModule
import Concurrency
import EventLoop

/// The connections that wait for somebody, and those who wait for a connection.
///
/// `@unchecked Sendable`: confined to the pool's loop.
final class LeaseQueue: @unchecked Sendable {
    private struct Waiter {
        let number: Int
        let since: MonotonicTime
        let deadline: MonotonicTime
        let continuation: UnsafeContinuation<Result<PostgresConnection, PostgresError>, Never>
    }

    /// Whoever gets a connection must have time left to use it: one that is given up in the middle of a statement has to be
    /// made anew, just when connections are scarce.
    private static let reserve = Duration.milliseconds(50)

    private let loop: EventLoop
    private let statistics: PostgresStatistics
    private let maximumWait: Duration
    private let maximumWaiting: Int
    private var idle: [PostgresConnection] = []
    private var waiters: Deque<Waiter> = []
    private var isClosed = false
    private var lastNumber = 0

    init(_ configuration: PostgresConfiguration, loop: EventLoop, statistics: PostgresStatistics) {
        self.loop = loop
        self.statistics = statistics
        maximumWait = configuration.connectionWait
        maximumWaiting = configuration.maximumWaiting
    }

    /// A connection for one owner, to be given back by ``offer(_:)``.
    func lease(until deadline: MonotonicTime) async throws(PostgresError) -> PostgresConnection {
        let last = deadline + (.zero - Self.reserve)
        guard MonotonicTime.now() < last else {
            throw PostgresError(kind: .timeout, message: "the deadline of the request has passed")
        }
        guard !Task.isCancelled else { throw Self.cancelled }
        while let connection = idle.popLast() {
            guard connection.isOpen else { continue }
            statistics.leased(after: .zero)
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

    private static let cancelled = PostgresError(kind: .timeout, message: "nobody waits for it any more")

    private func cancel(_ number: Int) {
        guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
        waiters.remove(at: index).continuation.resume(returning: .failure(Self.cancelled))
    }

    /// Takes a connection for whoever comes next.
    func offer(_ connection: PostgresConnection) {
        expire(at: .now())
        if let waiter = waiters.popFirst() {
            statistics.leased(after: .now() - waiter.since)
            waiter.continuation.resume(returning: .success(connection))
        } else {
            idle.append(connection)
        }
    }

    /// How many connections wait, and how many requests.
    var counts: (idle: Int, waiting: Int) { (idle.count, waiters.count) }

    /// Forgets a connection that was lost.
    func withdraw(_ connection: PostgresConnection?) {
        idle.removeAll { $0 === connection }
    }

    /// Tells those who have waited for too long.
    func expire(at now: MonotonicTime) {
        guard waiters.contains(where: { $0.deadline <= now }) else { return }
        let late = waiters.filter { $0.deadline <= now }
        waiters.removeAll { $0.deadline <= now }
        let error = PostgresError(kind: .poolExhausted, message: "no connection within the time to wait for one")
        for waiter in late { waiter.continuation.resume(returning: .failure(error)) }
    }

    /// Tells all who wait, and whoever comes later.
    func close(_ reason: PostgresError) {
        isClosed = true
        let left = waiters
        waiters = []
        for waiter in left { waiter.continuation.resume(returning: .failure(reason)) }
    }
}
