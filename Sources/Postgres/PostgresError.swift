import CLibPQ

/// Why a statement or a connection failed.
///
/// The description never contains parameters: they may be personal data.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// The classes of error that callers distinguish.
    package enum Kind: Sendable {
        /// Never connected, or the connection was lost; whether a `COMMIT` in flight took place is unknown.
        case connection
        /// The server rejected a statement; see ``PostgresError/sqlState``.
        case server
        /// The deadline of the request has passed.
        case timeout
        /// No connection became free within the time to wait for one.
        case poolExhausted
        /// A response that this program did not expect: an error of its own.
        case protocolViolation
    }

    /// The class of the error.
    package var kind: Kind
    /// The five characters of the SQLSTATE (PostgreSQL manual, appendix A), when the server sent one.
    package var sqlState: String?
    /// The primary message; for `.server` errors it may quote values, so it goes to no log by itself.
    package var message: String
    /// The constraint that was violated, if it was that.
    package var constraint: String?
    /// The name of the statement.
    package var statement: String?
    /// Whether the session's prepared statement is missing or was prepared for columns that have changed; it was not executed.
    private(set) var requiresPreparation = false

    static let lockNotAvailable = "55P03"

    /// The database is known to be unavailable; nothing was sent to it.
    static let knownUnavailable = PostgresError(kind: .connection, message: "the database is known to be unavailable")

    package init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    /// The error in a `PGresult`.
    init(result: OpaquePointer, statement: String?) {
        func field(_ code: Character) -> String? {
            guard let value = PQresultErrorField(result, Int32(code.asciiValue ?? 0)) else { return nil }
            return String(cString: value)
        }
        sqlState = field("C")
        constraint = field("n")
        message = field("M") ?? String(cString: PQresultErrorMessage(result))
        self.statement = statement
        // Without an SQLSTATE the message is libpq's own: the server is gone. It also is after a fatal error.
        kind = sqlState == nil || ["FATAL", "PANIC"].contains(field("V")) ? .connection : .server
        // 26000 is the missing statement. "cached plan must not change result type" has a general SQLSTATE and a translated
        // text, so it is recognised by the function that reports it (plancache.c).
        requiresPreparation =
            sqlState == "26000" || sqlState == "0A000" && field("R") == "RevalidateCachedQuery"
    }

    /// libpq's report about a connection that failed or was lost.
    init(connection: OpaquePointer) {
        kind = .connection
        message = String(cString: PQerrorMessage(connection))
        while message.last?.isNewline == true { message.removeLast() }
    }

    /// Whether the same may succeed later: the database is out of reach, overloaded, starting, stopping or read-only.
    package var isUnavailable: Bool {
        if requiresPreparation { return true }
        switch kind {
        case .connection, .timeout, .poolExhausted: return true
        case .protocolViolation: return false
        case .server: break
        }
        guard let sqlState else { return false }
        // 08 connection exception, 40 transaction rollback, 53 insufficient resources, 57 operator intervention (a
        // statement timeout among them), 58 system error; 25006 read-only transaction, 55P03 lock not available.
        let classes = ["08", "40", "53", "57", "58"]
        return classes.contains(String(sqlState.prefix(2))) || sqlState == "25006" || sqlState == "55P03"
    }

    /// Whether the whole transaction is worth another try: a serialization failure, a deadlock, or a unique violation by
    /// a row that was inserted in the meantime and is found when reading again.
    package var isTransient: Bool {
        kind == .server && (sqlState == "40001" || sqlState == "40P01" || sqlState == "23505")
    }

    /// Whether a lock was not obtained within `lock_timeout`.
    package var isLockNotAvailable: Bool { kind == .server && sqlState == "55P03" }

    /// Kind or SQLSTATE, constraint and statement; libpq's own text only where no value can be in it.
    package var description: String {
        let what = sqlState.map { "SQLSTATE \($0)" } ?? message
        let parts = [
            what, constraint.map { "constraint \($0)" }, statement.map { "statement \($0)" },
        ]
        return "PostgreSQL: " + parts.compactMap { $0 }.joined(separator: ", ")
    }
}
