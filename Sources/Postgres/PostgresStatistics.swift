import Concurrency
import EventLoop
import Metrics

/// What a pool has done and is doing. Written by its loop, read from any thread.
package final class PostgresStatistics: Sendable {
    /// A state of the pool.
    package struct Values: Sendable {
        /// How long each statement took from its sending to its result, by its name.
        package var statements: [String: Histogram] = [:]
        /// How long transactions waited for their connection.
        package var waits = Histogram()
        /// Connections that are open.
        package var open = 0
        /// Connections that wait for a transaction, the one for reads among them.
        package var idle = 0
        /// Requests that wait for a connection.
        package var waiting = 0
        /// How many connections the pool wants to have.
        package var size = 0
    }

    private let state = Locked(Values())

    /// The current state; how many of what there are at the moment is up to a tick old.
    package var values: Values { state.withLock { $0 } }

    func executed(_ statement: String, _ duration: Duration) {
        state.withLock { $0.statements[statement, default: Histogram()].observe(duration.inSeconds) }
    }

    func leased(after wait: Duration) {
        state.withLock { $0.waits.observe(wait.inSeconds) }
    }

    func set(size: Int, open: Int, idle: Int, waiting: Int) {
        state.withLock { state in
            state.size = size
            state.open = open
            state.idle = idle
            state.waiting = waiting
        }
    }
}
