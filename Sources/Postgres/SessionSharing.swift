/// Whether a connection has a session of the database of its own, or another one for each transaction, as behind PgBouncer in
/// transaction mode (`pool_mode`).
package enum SessionSharing: Sendable, Equatable {
    /// A session of its own, for as long as the connection is open.
    case none
    /// Another session for each transaction, so that settings are set in each. Prepared statements are carried along by PgBouncer 1.21
    /// and later (`max_prepared_statements`); otherwise each execution sends the text of its statement.
    case transactions(carriesStatements: Bool)
    /// Another session for each statement, and no transactions of several statements.
    case statements

    /// Number of comparisons of sessions: on a busy pooler they change at random.
    private static let rounds = 4

    /// Finds out by what two connections at the same time observe, of which it opens one. Blocks.
    ///
    /// - Parameter session: another connection to the same address, outside a transaction.
    /// - Throws: ``PostgresError``.
    package static func detect(
        _ connectionString: String, beside session: PostgresSession
    ) throws(PostgresError) -> SessionSharing {
        let sessions = [session, try PostgresSession(connectionString: connectionString)]
        guard try areShared(sessions) else { return .none }
        guard try canBegin(sessions[0]) else { return .statements }
        return .transactions(carriesStatements: try carriesStatements(sessions))
    }

    /// Two sessions that are open at the same time have two processes, which do not change. An idle pooler assigns the session that was used last
    /// to the next client.
    private static func areShared(_ sessions: [PostgresSession]) throws(PostgresError) -> Bool {
        var processes: [Set<String>] = [[], []]
        for _ in 0..<rounds {
            for (index, session) in sessions.enumerated() {
                let row = try session.query("select pg_backend_pid()").first
                processes[index].insert(row?.first.flatMap { $0 } ?? "")
            }
        }
        return processes[0].count > 1 || processes[1].count > 1 || processes[0] == processes[1]
    }

    /// In statement mode PgBouncer rejects `begin` and ends the connection.
    private static func canBegin(_ session: PostgresSession) throws(PostgresError) -> Bool {
        do throws(PostgresError) {
            try session.execute(script: "begin")
        } catch {
            return false
        }
        try session.execute(script: "commit")
        return true
    }

    /// Both prepare another statement under the same name and execute it. Where names belong to the sessions of the database, one of them
    /// meets the other's statement or none.
    private static func carriesStatements(_ sessions: [PostgresSession]) throws(PostgresError) -> Bool {
        for round in 0..<rounds {
            let name = "sharing_\(UInt64.random(in: 0...UInt64.max))_\(round)"
            do throws(PostgresError) {
                for (index, session) in sessions.enumerated() {
                    try session.prepare(name, "select \(index)")
                }
                for (index, session) in sessions.enumerated()
                where try session.execute(prepared: name) != [[String(index)]] { return false }
            } catch {
                guard error.kind == .server else { throw error }
                // It would stay for the life of the session that it belongs to, as far as that is met again.
                for session in sessions { try? session.execute(script: "deallocate \(name)") }
                return false
            }
        }
        return true
    }
}

/// `DATABASE_URL` leads to a pooler that shares sessions in a way that does not do.
package struct PoolerError: Error, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// A transaction needs the same session for all its statements.
        case statements
        /// The lock that keeps a second run out belongs to a session.
        case sessionLock
    }

    package let reason: Reason

    package init(_ reason: Reason) {
        self.reason = reason
    }

    package var description: String {
        switch reason {
        case .statements:
            "DATABASE_URL: a connection pooler in statement mode is in between; LUX needs transactions"
        case .sessionLock:
            "DATABASE_URL: a connection pooler in transaction mode is in between; this command holds a lock of its session, so"
                + " connect it to PostgreSQL itself or to a pooler in session mode"
        }
    }

    /// Rejects a pooler that does not keep sessions.
    ///
    /// - Throws: ``PoolerError``, ``PostgresError``.
    package static func requireOwnSessions(_ connectionString: String) throws {
        let session = try PostgresSession(connectionString: connectionString)
        guard try SessionSharing.detect(connectionString, beside: session) != .none else { return }
        throw PoolerError(.sessionLock)
    }
}
