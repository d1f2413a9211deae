import Concurrency
import EventLoop

/// The outcome of one statement of a pipeline.
enum StatementOutcome {
    case result(PostgresResult)
    case failure(PostgresError)
    /// Not executed, because an earlier statement of the same batch failed: `cause`.
    case aborted(cause: PostgresError)
}

/// Receives the result of a pipelined statement. All calls come on the connection's loop.
protocol OutcomeReceiver: AnyObject {
    /// ``PostgresCaller/name`` of the task that waits.
    var caller: String? { get }
    /// One statement ended.
    func received(_ outcome: StatementOutcome)
    /// All statements up to the Sync sent for this receiver ended (libpq manual, "Pipeline Mode").
    func synchronized()
    /// The connection was lost; nothing more will come.
    func lost(_ error: PostgresError)
    /// Called at each tick. Returns `true` when the connection must be closed because of it.
    func expired(at now: MonotonicTime) -> Bool
}
