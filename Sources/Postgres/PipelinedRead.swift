import Concurrency
import EventLoop

/// One read in flight through a shared pipeline. Owned by its lane and its connection; confined to the pool's loop, which its
/// entries check.
final class PipelinedRead: OutcomeReceiver {
    let query: PostgresQuery
    let caller = PostgresCaller.name
    private let deadline: MonotonicTime
    /// The deadline of its wait for a connection.
    private var waitsUntil: MonotonicTime
    private var continuation: UnsafeContinuation<Result<PostgresRows, PostgresError>, Never>?
    private unowned let lane: ReadLane
    /// Number of earlier attempts, in a group or alone.
    private var repeats = 0
    var isRepeat: Bool { repeats > 0 }

    private init(_ query: PostgresQuery, deadline: MonotonicTime, lane: ReadLane) {
        self.query = query
        self.deadline = deadline
        self.lane = lane
        waitsUntil = deadline
    }

    /// Passes a read to `submit` and waits for its outcome.
    static func run(
        _ query: PostgresQuery, deadline: MonotonicTime, lane: ReadLane, _ submit: (PipelinedRead) -> Void
    ) async throws(PostgresError) -> PostgresRows {
        let read = PipelinedRead(query, deadline: deadline, lane: lane)
        lane.assertCurrent()
        return try await withUnsafeContinuation { continuation in
            read.continuation = continuation
            submit(read)
        }.get()
    }

    /// Whether its caller still waits for it.
    var isWaiting: Bool { continuation != nil }

    /// Begins to wait for a connection.
    func wait(until last: MonotonicTime) {
        lane.assertCurrent()
        waitsUntil = min(deadline, last)
    }

    /// Fails when no connection was available in time.
    ///
    /// - Returns: whether its caller no longer waits for it.
    func hasGivenUp(at now: MonotonicTime) -> Bool {
        lane.assertCurrent()
        if isWaiting, now >= waitsUntil {
            let message = "no connection within the time to wait for one"
            finish(.failure(PostgresError(kind: .poolExhausted, message: message)))
        }
        return !isWaiting
    }

    func received(_ outcome: StatementOutcome) {
        switch outcome {
        case .result(let result):
            received(result, rows: 0..<result.count)
        case .failure(let error) where error.requiresPreparation:
            retry(or: error)
        case .failure(let error):
            lane.failed(self, error)
            finish(.failure(error))
        case .aborted(let cause):
            retry(or: cause)
        }
    }

    /// Takes its own rows from a result that may contain those of other calls.
    func received(_ result: PostgresResult, rows: Range<Int>) {
        lane.succeeded(self)
        finish(.success(PostgresRows(result, rows)))
    }

    func synchronized() {}

    func lost(_ error: PostgresError) {
        retry(or: error)
    }

    /// Fails it without sending it.
    func fail(_ error: PostgresError) {
        finish(.failure(error))
    }

    func expired(at now: MonotonicTime) -> Bool {
        guard isWaiting, now >= deadline else { return false }
        finish(.failure(PostgresError(kind: .timeout, message: "the deadline of the request has passed")))
        // Its result may still arrive, and the reads after it did not cause the delay: the session's own
        // statement_timeout ends a statement that hangs.
        return false
    }

    /// Sends it again, in a batch of its own: once, or three times while it only has to be prepared again.
    func retry(or error: PostgresError) {
        guard isWaiting else { return }
        guard repeats < (error.requiresPreparation ? 3 : 1) else {
            lane.failed(self, error)
            return finish(.failure(error))
        }
        repeats += 1
        assert(repeats <= 3)
        lane.submit(self)
    }

    private func finish(_ result: Result<PostgresRows, PostgresError>) {
        lane.assertCurrent()
        continuation?.resume(returning: result)
        continuation = nil
    }
}
