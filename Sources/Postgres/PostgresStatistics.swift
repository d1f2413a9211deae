import EventLoop
import Metrics

/// What a pool has done and is doing. Written by its loop, read from any thread.
public final class PostgresStatistics: Sendable {
    /// A state of the pool.
    public struct Values: Sendable {
        /// How long each statement took from its sending to its result, by its name.
        public var statements: [String: Histogram] = [:]
        /// How long transactions waited for their connection.
        public var waits = Histogram()
        /// Connections that are open.
        public var open = 0
        /// Connections that wait for a transaction, the one for reads among them.
        public var idle = 0
        /// Requests that wait for a connection.
        public var waiting = 0
        /// How many connections the pool wants to have.
        public var size = 0
    }

    private let state = Locked(Values())

    /// The current state; how many of what there are at the moment is up to a tick old.
    public var values: Values { state.withLock { $0 } }

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
