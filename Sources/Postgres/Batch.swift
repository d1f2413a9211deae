import Concurrency

/// Statements that end with their own Sync. Owned by its connection until then, and confined to the connection's loop, which
/// its entries check.
final class Batch: OutcomeReceiver {
    private var results: [PostgresResult] = []
    private var error: PostgresError?
    private let deadline: MonotonicTime
    let caller = PostgresCaller.name
    private let isCommit: Bool
    private let connection: PostgresConnection
    private var continuation: UnsafeContinuation<Result<[PostgresResult], PostgresError>, Never>?

    private init(on connection: PostgresConnection, deadline: MonotonicTime, isCommit: Bool) {
        self.connection = connection
        self.deadline = deadline
        self.isCommit = isCommit
    }

    /// - Parameter isCommit: whether the last of them is `COMMIT`.
    static func run(
        _ queries: [PostgresQuery], on connection: PostgresConnection, deadline: MonotonicTime, isCommit: Bool = false
    ) async throws(PostgresError) -> [PostgresResult] {
        connection.assertCurrent()
        assert(!queries.isEmpty)
        let batch = Batch(on: connection, deadline: deadline, isCommit: isCommit)
        batch.results.reserveCapacity(queries.count)
        if isCommit { connection.beginCommit() }
        return try await withUnsafeContinuation { continuation in
            batch.continuation = continuation
            for query in queries { connection.send(query, for: batch) }
            connection.synchronize(for: batch)
        }.get()
    }

    func received(_ outcome: StatementOutcome) {
        switch outcome {
        case .result(let result): results.append(result)
        case .failure(let failure): error = error ?? failure
        case .aborted(let cause): error = error ?? cause
        }
    }

    func synchronized() {
        if error == nil, isCommit, !connection.isCommitConfirmed {
            error = PostgresError(kind: .connection, message: "no standby has confirmed the commit")
        }
        finish(error.map { .failure($0) } ?? .success(results))
    }

    func lost(_ reason: PostgresError) {
        // The server's own last message (a terminated backend, say) is more useful to the operator than "connection lost", but
        // the kind has to stay: whether a commit in flight took place is unknown.
        finish(.failure(reason))
    }

    func expired(at now: MonotonicTime) -> Bool {
        guard continuation != nil, now >= deadline else { return false }
        finish(.failure(PostgresError(kind: .timeout, message: "the deadline of the request has passed")))
        // A commit must not be cancelled: while it waits for a standby, that would make it visible without one.
        return !isCommit
    }

    private func finish(_ result: Result<[PostgresResult], PostgresError>) {
        connection.assertCurrent()
        continuation?.resume(returning: result)
        continuation = nil
    }
}
