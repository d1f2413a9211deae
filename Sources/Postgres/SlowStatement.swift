import EventLoop

/// The request for which a task executes statements; reported with slow ones.
package enum PostgresCaller {
    /// Any name, such as the id of a request.
    @TaskLocal package static var name: String?
}

/// A statement that took longer than ``PostgresConfiguration/slowStatement``, or several that were sent together: PostgreSQL
/// executes those together, so that only the server knows which of them it was.
package struct SlowStatement: Sendable {
    /// Its name, or those of all of them in their order.
    package var names: [String]
    /// From its sending to its result or to the end of its connection, a wait for a lock or for statements before it in the pipeline among it.
    package var duration: Duration
    /// ``PostgresCaller/name`` of the task that it was executed for.
    package var caller: String?
}

/// Gathers the slow statements of a connection up to the Sync that follows them.
struct SlowStatementLog {
    private let threshold: Duration?
    private let report: (SlowStatement) -> Void
    private var statements: [(receiver: any OutcomeReceiver, statement: SlowStatement)] = []

    /// - Parameters:
    ///   - threshold: the minimum duration of a slow statement; `nil` for none.
    ///   - report: receives the record of each receiver.
    init(threshold: Duration?, report: @escaping (SlowStatement) -> Void) {
        self.threshold = threshold
        self.report = report
    }

    mutating func executed(_ name: String, _ duration: Duration, for receiver: any OutcomeReceiver) {
        guard let threshold, duration >= threshold else { return }
        if let last = statements.last, last.receiver === receiver {
            statements[statements.count - 1].statement.names.append(name)
            statements[statements.count - 1].statement.duration = max(last.statement.duration, duration)
        } else {
            let statement = SlowStatement(names: [name], duration: duration, caller: receiver.caller)
            statements.append((receiver, statement))
        }
    }

    mutating func synchronized() {
        guard !statements.isEmpty else { return }
        for (_, statement) in statements { report(statement) }
        statements = []
    }
}
