import Dispatch
import EventLoop
import Glibc
import Logging
import Postgres
import Synchronization

/// Makes sure before the first query that the schema is this program's.
struct SchemaCheck {
    let configuration: Configuration
    let logger: Logger
    let migrate: Bool

    /// Checks, or migrates, once.
    ///
    /// - Returns: `false` when the database is out of reach.
    /// - Throws: `MigrationError`, `PostgresError`.
    func attempt(_ migrations: [Migration]) throws -> Bool {
        do {
            let session = try PostgresSession(connectionString: configuration.databaseURL)
            let migrator = Migrator(session: session, migrations: migrations)
            if migrate {
                for name in try migrator.apply() { logger.info("migrated", metadata: ["migration": "\(name)"]) }
            }
            try migrator.verify()
            return true
        } catch let error as PostgresError where error.isUnavailable {
            logger.warning("the database is out of reach", metadata: ["cause": "\(error)"])
            return false
        }
    }

    /// Tries again until the database answers; a schema that is not this program's ends the process.
    func waitInBackground(_ migrations: [Migration], then ready: @escaping @Sendable () -> Void) {
        let (check, logger) = (self, logger)
        DispatchQueue(label: "lux.schema").async {
            do {
                while try !check.attempt(migrations) { usleep(500_000) }
                ready()
            } catch {
                logger.critical("refusing to serve", metadata: ["cause": "\(error)"])
                exit(1)
            }
        }
    }
}

/// Whether requests can be served.
final class ReadinessGate: Sendable {
    private static let appliedMigrations = PostgresStatement(
        "applied_migrations", "select count(*) from schema_migrations")

    private let isOpen = Atomic(false)
    private let migrations: Int

    /// - Parameter migrations: how many have to be applied.
    init(migrations: Int) {
        self.migrations = migrations
    }

    /// Called when the schema was found right.
    func open() {
        isOpen.store(true, ordering: .releasing)
    }

    /// Whether the database answers and its schema is current.
    func isReady(_ pool: PostgresPool, deadline: MonotonicTime) async -> Bool {
        guard isOpen.load(ordering: .acquiring) else { return false }
        let deadline = min(deadline, .now() + .seconds(2))
        let result = try? await pool.read(Self.appliedMigrations(), deadline: deadline)
        return (try? result?.first?.int8(0)) == Int64(migrations)
    }
}
