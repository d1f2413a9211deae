import EventLoop

/// A transaction on a connection that nobody else uses until it ended.
///
/// `BEGIN` travels with the first batch and `COMMIT` with the last, so that a transaction of two batches is two round
/// trips. Confined to the loop of its pool.
public final class PostgresTransaction {
    private static let begin = PostgresStatement("begin", "begin")
    private static let commit = PostgresStatement("commit", "commit")
    private static let rollback = PostgresStatement("rollback", "rollback")

    private enum State { case new, begun, ended }

    private let connection: PostgresConnection
    private let deadline: MonotonicTime
    private var state = State.new

    init(on connection: PostgresConnection, deadline: MonotonicTime) {
        self.connection = connection
        self.deadline = deadline
    }

    /// Executes statements in order, in one round trip.
    ///
    /// - Returns: the result of each.
    /// - Throws: ``PostgresError``: that of the first statement that failed, named in it; the transaction can then only
    ///   be rolled back.
    public func run(_ queries: [PostgresQuery]) async throws(PostgresError) -> [PostgresResult] {
        let opening = state == .new
        state = .begun
        let results = try await Batch.run(
            (opening ? [Self.begin()] : []) + queries, on: connection, deadline: deadline)
        return opening ? Array(results.dropFirst()) : results
    }

    /// Executes statements in order and commits, in one round trip.
    ///
    /// - Throws: ``PostgresError``. Of the kind `.connection` or `.timeout` it leaves open whether the transaction was
    ///   committed; any other means that it was not.
    public func commit(_ queries: [PostgresQuery]) async throws(PostgresError) {
        let opening = state == .new ? [Self.begin()] : []
        state = .begun
        let results = try await Batch.run(opening + queries + [Self.commit()], on: connection, deadline: deadline)
        state = .ended
        // PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, and that without an error.
        guard results.last?.commandTag == "COMMIT" else {
            throw PostgresError(kind: .protocolViolation, message: "COMMIT was answered with a rollback")
        }
    }

    /// Ends what was begun and not committed. Never throws: a connection that cannot is not used again.
    func rollBackIfOpen() async {
        guard state == .begun, connection.isOpen else { return }
        state = .ended
        _ = try? await Batch.run([Self.rollback()], on: connection, deadline: .now() + .seconds(2))
    }
}

/// Statements that end with a Sync of their own.
private final class Batch: OutcomeReceiver {
    private var results: [PostgresResult] = []
    private var error: PostgresError?
    private let deadline: MonotonicTime
    private var continuation: UnsafeContinuation<Result<[PostgresResult], PostgresError>, Never>?

    private init(deadline: MonotonicTime) {
        self.deadline = deadline
    }

    static func run(
        _ queries: [PostgresQuery], on connection: PostgresConnection, deadline: MonotonicTime
    ) async throws(PostgresError) -> [PostgresResult] {
        let batch = Batch(deadline: deadline)
        batch.results.reserveCapacity(queries.count)
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
        finish(error.map { .failure($0) } ?? .success(results))
    }

    func lost(_ reason: PostgresError) {
        // The server's own last word (a terminated backend, say) tells the operator more than "connection lost", but
        // the kind has to stay: whether a commit under way took place is unknown.
        finish(.failure(reason))
    }

    func expired(at now: MonotonicTime) -> Bool {
        guard continuation != nil, now >= deadline else { return false }
        finish(.failure(PostgresError(kind: .timeout, message: "the deadline of the request has passed")))
        return true
    }

    private func finish(_ result: Result<[PostgresResult], PostgresError>) {
        continuation?.resume(returning: result)
        continuation = nil
    }
}
