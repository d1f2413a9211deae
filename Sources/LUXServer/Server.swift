import Dispatch
import Concurrency
import EventLoop
import Foundation
import Glibc
import HTTP
import JWT
import LUX
import LUXAPI
import LUXNotify
import LUXStore
import LogOutput
import Logging
import LUXSettings
import Postgres
import Systemd
import TLS

/// The running program: loops, connections to the database, HTTP. A value; ``run(migrate:)`` blocks its thread.
package struct Server {
    package let configuration: Configuration
    package let log: LineLog
    package let logger: Logger
    /// Called once the port is open.
    package var onListening: (_ port: Int) -> Void = { _ in }
    /// The signals that stop the server. Unless SIGHUP is one of them, it reloads the certificate and the keys of access tokens
    /// from their files.
    package var stopSignals = [SIGTERM, SIGINT]
    /// Receives the states of the process.
    package var manager = ServiceManager(environment: [:])
    /// Listening sockets that the service manager keeps; each serves the configured port that it has.
    package var sockets: [ActivatedSocket] = []

    /// Connections to the metrics' own port: some Prometheus servers and operators.
    private static let metricsConnections = 64

    /// With room for fewer connections the server does not start.
    private static let leastConnections = 100

    /// The port is open within a second of the start, whatever the database does.
    private static let schemaPatience = Duration.milliseconds(700)

    /// How long a transaction keeps its connection while it waits for a lock; it is then retried.
    private static let lockTimeout = Duration.milliseconds(100)

    /// Part of the deadline that is left for the response when the database misses it.
    private static let answerReserve = Duration.milliseconds(300)

    /// What the service manager grants beyond the time for requests in flight: for aborted connections and the log.
    private static let exitReserve = Duration.seconds(5)

    private let requestLog: RequestLog

    package init(configuration: Configuration, log: LineLog) {
        self.configuration = configuration
        self.log = log
        logger = log.logger
        requestLog = RequestLog(log: log, slow: configuration.slow)
    }

    /// Serves until one of the signals that stop it, then drains.
    ///
    /// - Parameter migrate: whether missing migrations are applied.
    /// - Throws: `Configuration.Faults` when an address cannot be listened on, `MigrationError` when the schema is not this program's, `PostgresError` when the database refuses,
    ///   `SocketError`, `EventLoopError`, `TokenKeyError`.
    package func run(migrate: Bool) throws {
        try requireDescriptors()
        try requirePorts()
        let signals = SignalWaiter(stopSignals)
        let levelSignals = LogLevelSignals(log)
        let reloads = !stopSignals.contains(SIGHUP)
        let availability = DatabaseAvailability(onEvent: ServerEventLog(logger: logger).log)
        let schema = SchemaCheck(
            configuration: configuration, logger: logger, migrate: migrate, availability: availability)
        let migrations = try Migration.all(in: configuration.migrations)
        let gate = ReadinessGate(migrations: migrations)
        let (loops, pools) = try makeLoops(availability)
        try schema.start(migrations, patience: Self.schemaPatience) {
            gate.open()
            for pool in pools { pool.start() }
        }

        let verifier = Locked(
            JWTVerifier(keys: try configuration.tokenKeys.load(), configuration.tokenRequirements))
        let fetcher = configuration.tokenKeys.keySet.map {
            KeySetFetcher($0, verifier: verifier, logger: logger)
        }
        guard let zone = WallClock(identifier: configuration.timeZone) else {
            throw MigrationError.unreadable("time zone \(configuration.timeZone)")
        }
        let rateLimiter = configuration.rateLimit.map { RateLimiter($0) }
        let guesses = GuessLimiter()
        let events = ServerEventLog(logger: logger)
        let metrics = ServerMetrics()
        let onEvent = { @Sendable (event: HTTPServerEvent) in
            events.log(event)
            metrics.count(event)
        }
        let notifier = notifier()
        metrics.requests.expectMessages(of: notifier.name)
        let certificateStamps = configuration.tls.map { FileStamp.all($0.paths) } ?? []
        let credentials = try configuration.tls?.credentials()
        if let credentials { metrics.observe(credentials) }
        let uploads = pools.map { UploadWriter(pool: $0) }
        let poller = deliveryPoller(notifier, pools, metrics)
        let server = HTTPServer(
            loops: zip(loops, uploads).map { loop, uploads in
                (
                    loop,
                    APIResponder(
                        services: services(
                            uploads, verifier, fetcher, zone, gate, rateLimiter, guesses, notifier, poller, metrics))
                )
            },
            limits: configuration.limits, tls: try credentials.map { try TLSContext($0) },
            trustedProxies: configuration.trustedProxies, onEvent: onEvent)
        metrics.observe(server, pools, uploads, notifier, log)
        let port = try listen(server, configuration.host, configuration.port, "LUX_HOST", "LUX_PORT")
        let redirector = try redirector(beside: server, on: loops, to: port, onEvent: onEvent)
        let metricsServer = try metricsServer(metrics, on: loops, onEvent: onEvent)
        let reloader =
            reloads
            ? configuration.tls.map {
                CertificateReloader(
                    files: $0, since: certificateStamps, server: server, metrics: metrics, logger: logger)
            } : nil
        let keyReloader =
            reloads ? TokenKeyReloader(keys: configuration.tokenKeys, verifier: verifier, logger: logger) : nil
        var reloadAll: [@Sendable () -> Void] = [reloader?.reload, keyReloader?.reload].compactMap { $0 }
        if let fetcher { reloadAll.append { fetcher.reload() } }
        let hangUp = reloads ? HangUpSignal(reportingTo: manager, reloadAll) : nil
        for loop in loops { loop.start() }
        poller?.start()
        let watchdog = LoopWatchdog(loops, reportingTo: manager)
        defer {
            levelSignals.stop()
            hangUp?.stop()
            reloader?.stop()
            keyReloader?.stop()
            fetcher?.stop()
            watchdog?.stop()
            poller?.stop()
        }
        manager.report(.ready)
        logger.log(.info, "listening", [.host: "\(configuration.host)", .port: .stringConvertible(port)])
        onListening(port)

        let ending = signals.wait()
        logger.log(.info, "stopping", [.signal: .stringConvertible(Int(ending))])
        manager.report(
            .stopping(within: configuration.shutdownDelay + configuration.limits.drainTime + Self.exitReserve))
        gate.close()
        Thread.sleep(forTimeInterval: configuration.shutdownDelay.inSeconds)
        let clean = shutDown([server, redirector, metricsServer].compactMap { $0 })
        for pool in pools { pool.close() }
        logger.log(.info, "stopped", [.clean: .stringConvertible(clean)])
    }

    /// - Throws: `Configuration.Faults` that names the variable whose address or port cannot be used.
    private func listen(
        _ server: HTTPServer, _ host: String, _ port: Int, _ hostVariable: String, _ portVariable: String
    ) throws(Configuration.Faults) -> Int {
        do throws(SocketError) {
            if let socket = sockets.first(where: { $0.port == port }) {
                try server.listen(on: socket.descriptor)
                return port
            }
            return try server.listen(host: host, port: port)
        } catch {
            let variable = error.isAboutAddress ? hostVariable : portVariable
            throw Configuration.Faults(faults: [Configuration.Fault(variable: variable, reason: "\(error)")])
        }
    }

    /// - Throws: `Configuration.Faults` when the service manager passed a socket that no variable names: its clients would
    ///   wait forever.
    private func requirePorts() throws(Configuration.Faults) {
        let ports = [configuration.port, configuration.redirectPort, configuration.metricsPort].compactMap { $0 }
        var free = ports
        var faults: [Configuration.Fault] = []
        for socket in sockets {
            if let index = free.firstIndex(of: socket.port) {
                free.remove(at: index)
                continue
            }
            let reason =
                ports.contains(socket.port)
                ? "the service manager passed two sockets of port \(socket.port); use one ListenStream= for both families"
                : "the service manager passed a socket of port \(socket.port), which is not LUX_PORT (\(configuration.port)),"
                    + " LUX_TLS_REDIRECT_PORT or LUX_METRICS_PORT; change ListenStream= or the variable"
            faults.append(Configuration.Fault(variable: "LISTEN_FDS", reason: reason))
        }
        guard faults.isEmpty else { throw Configuration.Faults(faults: faults) }
    }

    /// - Throws: `Configuration.Faults` when the limit of open files leaves room for too few connections.
    private func requireDescriptors() throws(Configuration.Faults) {
        let room = HTTPServer.descriptorsForConnections - configuration.databasePool
        guard room < Self.leastConnections else { return }
        throw Configuration.Faults(faults: [
            Configuration.Fault(
                variable: "limit of open files",
                reason: "leaves room for \(max(0, room)) connections; raise it to 1024 or more (ulimit -n, LimitNOFILE)"
            )
        ])
    }

    /// Ends all servers at once, so that together they take no longer than one.
    private func shutDown(_ servers: [HTTPServer]) -> Bool {
        let allClean = Locked(true)
        let group = DispatchGroup()
        for server in servers {
            DispatchQueue(label: "lux.shutdown").async(group: group) {
                let clean = server.shutDown()
                allClean.withLock { $0 = $0 && clean }
            }
        }
        group.wait()
        return allClean.withLock { $0 }
    }

    /// One loop for each core, but no more than can have three connections: for reads, for uploads of usual size, and for
    /// large uploads and everything else.
    private func makeLoops(_ availability: DatabaseAvailability) throws -> ([EventLoop], [PostgresPool]) {
        let total = configuration.databasePool
        let count = max(1, min(configuration.loops, total / 3))
        let address = configuration.databaseAddress
        var database = PostgresConfiguration(
            connectionStrings: { address.current() }, statementTimeout: databaseTimeout)
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
        return (loops, pools)
    }

    /// The plain port, which redirects to the TLS port.
    private func redirector(
        beside server: HTTPServer, on loops: [EventLoop], to port: Int,
        onEvent: @escaping @Sendable (HTTPServerEvent) -> Void
    ) throws -> HTTPServer? {
        guard let plainPort = configuration.redirectPort else { return nil }
        let redirector = HTTPServer(
            loops: loops.map { ($0, PortResponder.redirection(to: port, log: requestLog.write)) },
            limits: configuration.limits, trustedProxies: configuration.trustedProxies, sharing: server,
            onEvent: onEvent)
        let actual = try listen(redirector, configuration.host, plainPort, "LUX_HOST", "LUX_TLS_REDIRECT_PORT")
        logger.log(.info, "redirecting to https", [.port: .stringConvertible(actual)])
        return redirector
    }

    /// The port for metrics alone.
    private func metricsServer(
        _ metrics: ServerMetrics, on loops: [EventLoop], onEvent: @escaping @Sendable (HTTPServerEvent) -> Void
    ) throws -> HTTPServer? {
        guard let port = configuration.metricsPort else { return nil }
        // Apart from the other connections: metrics are needed most when those have reached their limit.
        var limits = configuration.limits
        limits.connections = Self.metricsConnections
        let metricsServer = HTTPServer(
            loops: loops.map { ($0, PortResponder.metrics(metrics.text, log: requestLog.write)) },
            limits: limits, onEvent: onEvent)
        let actual = try listen(metricsServer, configuration.metricsHost, port, "LUX_METRICS_HOST", "LUX_METRICS_PORT")
        logger.log(.info, "metrics", [.port: .stringConvertible(actual)])
        return metricsServer
    }

    private var messageRules: MessageRules {
        var rules = MessageRules()
        rules.userLimit = configuration.alimtalk.userLimit
        rules.dailyLimit = configuration.alimtalk.dailyLimit
        rules.cooldown = configuration.alimtalk.cooldown
        rules.longestCall = databaseTimeout
        return rules
    }

    private var databaseTimeout: Duration {
        max(.milliseconds(50), configuration.requestTimeout - Self.answerReserve)
    }

    private func services(
        _ uploads: UploadWriter, _ verifier: Locked<JWTVerifier>, _ fetcher: KeySetFetcher?, _ zone: WallClock,
        _ gate: ReadinessGate, _ rateLimiter: RateLimiter?, _ guesses: GuessLimiter, _ notifier: any AlimtalkNotifier,
        _ poller: DeliveryPoller?, _ metrics: ServerMetrics
    ) -> APIServices {
        let pool = uploads.pool
        var services = APIServices(
            verifier: verifier, userClaim: configuration.jwtUserClaim, zone: zone, database: DeviceDatabase(pool: pool),
            uploads: uploads, notifier: notifier, messageRules: messageRules, handlerTimeout: databaseTimeout,
            isReady: { deadline in
                guard verifier.withLock({ $0.keys.count > 0 }) else { return false }
                return await gate.isReady(pool, deadline: deadline)
            },
            onUnknownKey: { fetcher?.keyWasUnknown() }, rateLimiter: rateLimiter, guesses: guesses,
            strictTransportSecurity: configuration.strictTransportSecurity, counted: metrics.requests,
            metrics: configuration.metricsPort == nil ? metrics.text : nil,
            documentation: configuration.documentation, cors: configuration.cors,
            onUnsettledAlimtalk: { [logger] row, error in
                // Errors of the database are logged without the values that they may quote.
                logger.log(.error, "alimtalk row not settled", [.cause: "row \(row): \(error)"])
            },
            onImplausibleDates: { [logger] requestID, cause in
                logger.log(.warning, "implausible date", [.requestID: "\(requestID ?? "")", .cause: "\(cause)"])
            },
            log: requestLog.write)
        if let poller, let secret = configuration.alimtalk.callbackSecret {
            services.messageCallback = MessageCallback(
                provider: notifier.name, secret: secret, onHint: poller.hint)
        }
        return services
    }

    private func deliveryPoller(
        _ notifier: any AlimtalkNotifier, _ pools: [PostgresPool], _ metrics: ServerMetrics
    ) -> DeliveryPoller? {
        let interval = configuration.alimtalk.deliveryInterval
        guard interval > .zero, let pool = pools.first, let notifier = notifier as? ProviderNotifier,
            notifier.reportsDeliveries
        else { return nil }
        return DeliveryPoller(
            notifier: notifier, pool: pool, interval: interval, metrics: metrics.requests, logger: logger)
    }

    /// One for all loops, since its limits are those of the process.
    private func notifier() -> any AlimtalkNotifier {
        let logger = logger
        if configuration.alimtalk.isUnencrypted {
            logger.log(
                .warning, "the provider's keys go out unencrypted",
                [.cause: "LUX_ALIMTALK_BASE_URL is http:// and not this machine"])
        }
        let provider = configuration.alimtalk.notifier { state in
            logger.log(state == "closed" ? .notice : .warning, "alimtalk circuit breaker", [.state: "\(state)"])
        }
        return provider
            ?? LogNotifier { userID, number in
                logger.log(.info, "alimtalk", [.userID: .stringConvertible(userID), .to: "\(number)"])
            }
    }
}
