import Concurrency
import Metrics

/// The statistics of a pool. Written on the pool's loop, read from any thread.
package final class PostgresStatistics: Sendable {
    /// A state of the pool.
    package struct Values: Sendable {
        /// Duration of each statement from sending to result, in the order of their indices.
        fileprivate var durations: [(name: String, histogram: Histogram)?] = []
        /// Time for which transactions waited for their connection, whether they got one or not.
        package var waits = Histogram()
        /// Connections that are open.
        package var open = 0
        /// Connections that wait for a transaction, the one for reads among them.
        package var idle = 0
        /// Requests that wait for a connection.
        package var waiting = 0
        /// Target number of connections of the pool.
        package var size = 0

        fileprivate mutating func expect(_ statement: PostgresStatement) {
            while durations.count <= statement.index { durations.append(nil) }
            if durations[statement.index] == nil { durations[statement.index] = (statement.name, Histogram()) }
        }

        /// Duration of each statement from sending to result, by its name.
        package var statements: [String: Histogram] {
            Dictionary(durations.compactMap { $0.map { ($0.name, $0.histogram) } }, uniquingKeysWith: { $1 })
        }
    }

    private let state = Locked(Values())

    /// The current state; how many of what there are at the moment is up to a tick old.
    package var values: Values { state.withLock { $0 } }

    /// Reports these statements from now on, with 0 executions at first: a histogram that appears with its first execution hides
    /// that execution from `increase()`.
    package func expect(_ statements: [PostgresStatement]) {
        state.withLock { state in
            for statement in statements { state.expect(statement) }
        }
    }

    func executed(_ statement: PostgresStatement, _ duration: Duration) {
        state.withLock { state in
            state.expect(statement)
            state.durations[statement.index]?.histogram.observe(duration)
        }
    }

    func waited(_ wait: Duration) {
        state.withLock { $0.waits.observe(wait) }
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
