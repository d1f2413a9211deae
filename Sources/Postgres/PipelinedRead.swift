import Concurrency
import EventLoop

/// One read on its way through a shared pipeline. Confined to the pool's loop.
final class PipelinedRead: OutcomeReceiver {
    let query: PostgresQuery
    let caller = PostgresCaller.name
    private let deadline: MonotonicTime
    /// Until when it may wait for a connection.
    private var waitsUntil: MonotonicTime
    private var continuation: UnsafeContinuation<Result<PostgresResult, PostgresError>, Never>?
    /// Sends it a second time; called at most once.
    var retry: ((PipelinedRead) -> Void)?
    /// Whether it is on its way for the second time.
    private(set) var isRepeat = false

    private init(_ query: PostgresQuery, deadline: MonotonicTime) {
        self.query = query
        self.deadline = deadline
        waitsUntil = deadline
    }

    /// Hands a read to `submit` and waits for its outcome.
    static func run(
        _ query: PostgresQuery, deadline: MonotonicTime, _ submit: (PipelinedRead) -> Void
    ) async throws(PostgresError) -> PostgresResult {
        let read = PipelinedRead(query, deadline: deadline)
        return try await withUnsafeContinuation { continuation in
            read.continuation = continuation
            submit(read)
        }.get()
    }

    /// Whether somebody still waits for it.
    var isWaiting: Bool { continuation != nil }

    /// Begins to wait for a connection.
    func wait(until last: MonotonicTime) {
        waitsUntil = min(deadline, last)
    }

    /// Gives up when no connection has come in time.
    ///
    /// - Returns: whether nobody waits for it any more.
    func hasGivenUp(at now: MonotonicTime) -> Bool {
        if isWaiting, now >= waitsUntil {
            let message = "no connection within the time to wait for one"
            finish(.failure(PostgresError(kind: .poolExhausted, message: message)))
        }
        return !isWaiting
    }

    func received(_ outcome: StatementOutcome) {
        switch outcome {
        case .result(let result): finish(.success(result))
        // Its preparation stood in a batch that failed: it can be prepared again.
        case .failure(let error) where error.sqlState == "26000": tryAgain(or: error)
        case .failure(let error): finish(.failure(error))
        case .aborted(let cause): tryAgain(or: cause)
        }
    }

    func synchronized() {}

    func lost(_ error: PostgresError) {
        tryAgain(or: error)
    }

    func expired(at now: MonotonicTime) -> Bool {
        guard isWaiting, now >= deadline else { return false }
        finish(.failure(PostgresError(kind: .timeout, message: "the deadline of the request has passed")))
        // Its answer may still come, and the reads behind it are not to blame: the session's own statement_timeout
        // ends what hangs.
        return false
    }

    private func tryAgain(or error: PostgresError) {
        guard isWaiting else { return }
        guard let retry else { return finish(.failure(error)) }
        self.retry = nil
        isRepeat = true
        retry(self)
    }

    private func finish(_ result: Result<PostgresResult, PostgresError>) {
        continuation?.resume(returning: result)
        continuation = nil
    }
}
