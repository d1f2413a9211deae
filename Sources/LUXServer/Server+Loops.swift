import Concurrency
import EventLoop
import LUXSettings
import LUXStore
import Logging
import Postgres

extension Server {
    /// Maximum time for which a transaction keeps its connection while it waits for a lock; it is then retried.
    private static let lockTimeout = Duration.milliseconds(100)

    /// Part of a request's time that is left for the response when the database exceeds its own.
    private static let responseReserve = Duration.milliseconds(300)

    /// The time that the database has for a request, from the request's arrival.
    var databaseTimeout: Duration {
        max(.milliseconds(50), configuration.requestTimeout - Self.responseReserve)
    }

    /// One loop for each core, but no more than can have three connections: for reads, for uploads of usual size, and for
    /// large uploads and everything else.
    func createLoops(
        _ availability: DatabaseAvailability, _ sharing: Locked<SessionSharing> = Locked(.none)
    ) throws -> ([EventLoop], [PostgresPool]) {
        let total = configuration.databasePool
        let count = max(1, min(configuration.loops, total / 3))
        let address = configuration.databaseAddress
        var database = PostgresConfiguration(
            connectionStrings: { address.current() }, statementTimeout: databaseTimeout)
        database.sharing = { sharing.withLock { $0 } }
        database.slowStatement = configuration.slow
        database.lockTimeout = min(Self.lockTimeout, databaseTimeout)
        database.readTimeout = min(database.readTimeout, databaseTimeout)
        // Half of the time is left to use the connection, but the longest pause between two attempts to connect is covered.
        database.connectionWait = min(database.connectionWait, max(databaseTimeout / 2, .milliseconds(650)))
        let (logger, requestLog) = (logger, requestLog)
        let loops = try (0..<count).map { try EventLoop(label: "lux.loop.\($0)") }
        let pools = loops.enumerated().map { index, loop in
            PostgresPool(
                loop: loop, configuration: database, connections: total / count + (index < total % count ? 1 : 0),
                availability: availability
            ) { event in
                switch event {
                case .connected: logger.debug("connected to the database")
                case .connectFailed(let error): logger.log(.debug, "cannot connect", [.cause: "\(error)"])
                case .lost(let error): logger.log(.debug, "lost a connection", [.cause: "\(error)"])
                case .slow(let statement): requestLog.write(statement)
                }
            }
        }
        for pool in pools { pool.statistics.expect(DeviceStore.statements + [SchemaState.statement]) }
        return (loops, pools)
    }
}
