import Concurrency
import Dispatch
import Glibc
import Logging
import LUXSettings
import LUXStore
import Postgres

/// Checks before the first query that the schema is the one that the program needs. Blocking; `start` runs it on a queue of its own.
package struct SchemaCheck {
    package let configuration: Configuration
    package let logger: Logger
    package let migrate: Bool
    package let availability: DatabaseAvailability
    /// What ``attempt(_:)`` finds out about the sessions of the connections.
    package let sharing: Locked<SessionSharing>
    /// Receives what the check waits for.
    let onWait: @Sendable (String) -> Void

    /// Checks, or migrates, once.
    ///
    /// - Returns: `false` when the database is unavailable.
    /// - Throws: `MigrationError`, `PostgresError`.
    package func attempt(_ migrations: [Migration]) throws -> Bool {
        do {
            let address = configuration.databaseAddress.current()
            let session = try PostgresSession(connectionString: address)
            try checkSessions(address, beside: session)
            let migrator = Migrator(session: session, migrations: migrations) { what in
                onWait(what)
                logger.log(.warning, "migration waits", [.cause: "\(what)"])
            }
            if migrate {
                for name in try migrator.apply() { logger.log(.info, "migrated", [.migration: "\(name)"]) }
            }
            try migrator.verify()
            try warnOfLostCommits(session)
            return true
        } catch let error as PostgresError where error.isUnavailable {
            availability.connectFailed(error)
            onWait("the database")
            return false
        }
    }

    /// Adapts to a pooler that runs each transaction in another session of the database.
    ///
    /// - Throws: `PoolerError`, `PostgresError`.
    private func checkSessions(_ address: String, beside session: PostgresSession) throws {
        // The process never has more connections than its pool's.
        guard configuration.databasePool > 1 else { return }
        let found = try SessionSharing.detect(address, beside: session)
        switch found {
        case .none: break
        case .statements: throw PoolerError(.statements)
        case .transactions where migrate: throw PoolerError(.sessionLock)
        case .transactions(let carriesStatements):
            logger.log(
                .warning,
                carriesStatements
                    ? "a connection pooler in transaction mode is in between"
                    : "a connection pooler in transaction mode is in between that does not carry prepared statements",
                [.cause: "settings are set in each transaction"])
        }
        sharing.withLock { $0 = found }
    }

    /// Checks the settings on which the durability of a response 200 depends.
    private func warnOfLostCommits(_ session: PostgresSession) throws {
        for (setting, bad) in [("synchronous_commit", ["off", "local"]), ("fsync", ["off"])] {
            let value = try DatabaseInspection(session: session).setting(setting)
            guard bad.contains(value) else { continue }
            logger.log(
                .warning, "acknowledged uploads can be lost", [.setting: "\(setting)", .value: "\(value)"])
        }
    }

    /// Checks on a queue of its own, and retries until the database responds.
    ///
    /// - Parameters:
    ///   - patience: how long the caller is blocked, so that a schema that is not this program's is found before a port
    ///     is open.
    ///   - ready: called once the schema is the right one.
    /// - Throws: what ``attempt(_:)`` throws within `patience`; later errors end the process.
    package func start(
        _ migrations: [Migration], patience: Duration, then ready: @escaping @Sendable () -> Void
    ) throws {
        let (check, logger) = (self, logger)
        let first = Locked<Result<Bool, any Error>?>(nil)
        let isWaiting = Locked(true)
        let done = DispatchSemaphore(value: 0)
        DispatchQueue(label: "lux.schema").async {
            let outcome = Result { try check.attempt(migrations) }
            if case .success(true) = outcome { ready() }
            first.withLock { $0 = outcome }
            done.signal()
            // The caller reports an error that it still waits for.
            if case .failure(let error) = outcome, !isWaiting.withLock({ $0 }) { Self.exit(after: error, logger) }
            guard case .success(false) = outcome else { return }
            do {
                repeat { usleep(500_000) } while try !check.attempt(migrations)
                ready()
            } catch {
                Self.exit(after: error, logger)
            }
        }
        _ = done.wait(timeout: .now() + patience.inSeconds)
        isWaiting.withLock { $0 = false }
        if case .failure(let error) = first.withLock({ $0 }) { throw error }
    }

    private static func exit(after error: any Error, _ logger: Logger) -> Never {
        logger.log(.critical, "cannot serve", [.cause: "\(error)"])
        Glibc.exit(1)
    }
}
