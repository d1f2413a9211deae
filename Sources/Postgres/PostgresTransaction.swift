import Concurrency
import EventLoop

/// A transaction with exclusive use of a connection until it ends.
///
/// `BEGIN` travels with the first batch and `COMMIT` with the last, so that a transaction of two batches is two round
/// trips. Confined to the loop of its pool.
package final class PostgresTransaction {
    static let begin = PostgresStatement("begin", "begin isolation level read committed")
    private static let commit = PostgresStatement("commit", "commit")
    private static let rollback = PostgresStatement("rollback", "rollback")
    static let statements = [begin, commit, rollback]

    private enum State { case new, begun, committing, ended }

    private let connection: PostgresConnection
    private let deadline: MonotonicTime
    private var state = State.new
    /// Whether `COMMIT` was sent.
    private(set) var mayHaveCommitted = false

    init(on connection: PostgresConnection, deadline: MonotonicTime) {
        self.connection = connection
        self.deadline = deadline
    }

    /// Executes statements in order, in one round trip.
    ///
    /// - Returns: the result of each.
    /// - Throws: ``PostgresError``: that of the first statement that failed, named in it; the transaction can then only
    ///   be rolled back.
    package func run(_ queries: [PostgresQuery]) async throws(PostgresError) -> [PostgresResult] {
        connection.assertCurrent()
        assert(state == .new || state == .begun, "the transaction has ended")
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
    package func commit(_ queries: [PostgresQuery]) async throws(PostgresError) {
        connection.assertCurrent()
        assert(state == .new || state == .begun, "the transaction has ended")
        let opening = state == .new ? [Self.begin()] : []
        state = .committing
        mayHaveCommitted = true
        let results: [PostgresResult]
        do throws(PostgresError) {
            results = try await Batch.run(
                opening + queries + [Self.commit()], on: connection, deadline: deadline, isCommit: true)
        } catch {
            if error.kind == .server { state = .begun }
            throw error
        }
        state = .ended
        // PostgreSQL responds to the COMMIT of a failed transaction with ROLLBACK, without an error.
        guard results.last?.commandTag == "COMMIT" else {
            throw PostgresError(kind: .protocolViolation, message: "COMMIT was rolled back")
        }
    }

    /// Ends what was begun and not committed. Never throws: a connection that cannot is not used again.
    func rollBackIfOpen() async {
        guard state == .begun, connection.isOpen else { return }
        state = .ended
        _ = try? await Batch.run([Self.rollback()], on: connection, deadline: .now() + .seconds(2))
    }
}
