import CLibPQ
import Concurrency

/// The settings of a pool.
package struct PostgresConfiguration: Sendable {
    /// Returns the connection string or URI of the next connection (libpq manual, "Connection Strings"), several hosts allowed.
    /// Called on the thread that connects.
    package var connectionString: @Sendable () -> String
    /// Whether its connections have sessions of their own. Called for each connection that is opened.
    package var sharing: @Sendable () -> SessionSharing = { .none }
    /// The server's time-out for a statement of a transaction. The request's own deadline comes first;
    /// this one frees the locks of a transaction whose client is gone.
    package var statementTimeout: Duration
    /// Maximum wait of a statement of a transaction for a lock; then it fails with SQLSTATE 55P03. `nil` for no limit.
    package var lockTimeout: Duration?
    /// `statementTimeout` for reads. Short, since a slow one holds up all that share its pipeline.
    package var readTimeout: Duration = .milliseconds(1_500)
    /// Maximum wait of a read for a lock; only a change of its table's definition blocks it.
    package var readLockTimeout: Duration = .milliseconds(150)
    /// Maximum wait of a request for a connection.
    package var connectionWait: Duration = .seconds(5)
    /// Maximum silence of the server while reads are in flight, each of which has `readTimeout`.
    var readSilence: Duration { readTimeout + .milliseconds(400) }
    /// Maximum duration of a commit whose caller no longer waits. While a standby is away this is the
    /// pace at which sessions are left to wait on their own.
    package var commitSilence: Duration = .seconds(60)
    /// Maximum reads in flight in one pipeline; more wait.
    package var maximumReadsInFlight = 512
    /// Maximum waiting requests in each of the two lanes; more are rejected immediately.
    package var maximumWaiting = 20_000

    /// Minimum duration of a statement that is reported as ``PostgresPoolEvent/slow(_:)``; `nil` for never.
    package var slowStatement: Duration?

    package init(connectionString: String, statementTimeout: Duration) {
        self.init(connectionStrings: { connectionString }, statementTimeout: statementTimeout)
    }

    /// - Parameter source: see ``connectionString``.
    package init(connectionStrings source: @escaping @Sendable () -> String, statementTimeout: Duration) {
        connectionString = source
        self.statementTimeout = statementTimeout
    }

    /// Whether libpq can read a connection string (`PQconninfoParse`); nothing is connected to.
    package static func isConnectionString(_ text: String) -> Bool {
        guard let options = PQconninfoParse(text, nil) else { return false }
        PQconninfoFree(options)
        return true
    }

    /// A connection string as keywords and values with the secret ones (`dispchar` of `PQconninfoOption`) masked; `nil` when
    /// libpq cannot read it.
    package static func masked(_ text: String) -> String? {
        guard let options = PQconninfoParse(text, nil) else { return nil }
        defer { PQconninfoFree(options) }
        var parts: [String] = []
        var next = options
        while let keyword = next.pointee.keyword {
            defer { next += 1 }
            guard let value = next.pointee.val else { continue }
            let isSecret = next.pointee.dispchar.map { String(cString: $0) } == "*"
            parts.append("\(String(cString: keyword))=\(isSecret ? "****" : String(cString: value))")
        }
        return parts.joined(separator: " ")
    }

    /// The settings of each session. Every statement of the program is meant to be found by an index whatever its
    /// parameters: a generic plan saves planning each one with arrays again (70 µs), and without sequential scans a plan
    /// that was created while a table was empty stays right when it has grown. The artificial costs that result would start
    /// the JIT compiler.
    private var settings: [(name: String, value: String)] {
        [
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("jit", "off"),
            ("default_transaction_isolation", "read committed"),
            ("idle_in_transaction_session_timeout", String(statementTimeout.wholeMilliseconds + 5_000)),
        ]
    }

    var readSettings: [(name: String, value: String)] {
        settings + [
            ("statement_timeout", String(readTimeout.wholeMilliseconds)),
            ("lock_timeout", String(readLockTimeout.wholeMilliseconds)),
        ]
    }

    var transactionSettings: [(name: String, value: String)] {
        let timeouts = [("statement_timeout", statementTimeout), ("lock_timeout", lockTimeout ?? .zero)]
        return settings + timeouts.map { ($0, $1 > .zero ? String($1.wholeMilliseconds) : "0") }
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int64 { max(1, wholeNanoseconds / 1_000_000) }
}

/// An event of one pool, for detailed logs.
package enum PostgresPoolEvent: Sendable {
    /// A connection was opened.
    case connected
    /// A connection could not be opened.
    case connectFailed(PostgresError)
    /// A connection ended unexpectedly.
    case lost(PostgresError)
    /// A statement took long, whatever its outcome.
    case slow(SlowStatement)
}
