import Concurrency
import Dispatch
import EventLoop
import Glibc
import HTTP
import Logging
import LogOutput
import LUXSettings
import Postgres
import Systemd

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

    /// The port is open within a second of the start, whatever the database does.
    private static let schemaPatience = Duration.milliseconds(700)

    /// Time that the service manager grants in addition to the time for requests in flight: for aborted connections and the log.
    private static let exitReserve = Duration.seconds(5)

    let requestLog: RequestLog

    package init(configuration: Configuration, log: LineLog) {
        self.configuration = configuration
        self.log = log
        logger = log.logger
        requestLog = RequestLog(log: log, slow: configuration.slow)
    }

    /// Serves until one of the signals that stop it, then drains.
    ///
    /// - Parameter migrate: whether missing migrations are applied.
    /// - Throws: `Configuration.VariableErrors` when an address cannot be listened on, `MigrationError` when the schema is not this program's, `PostgresError` when the database rejects,
    ///   `SocketError`, `EventLoopError`, `TokenKeyError`.
    package func run(migrate: Bool) throws {
        try requireDescriptors()
        try requirePorts()
        let signals = SignalWaiter(stopSignals)
        let levelSignals = LogLevelSignals(log)
        defer { levelSignals.stop() }
        let availability = DatabaseAvailability(onEvent: ServerEventLog(logger: logger).log)
        let sharing = Locked(SessionSharing.none)
        let migrations = try Migration.all(in: configuration.migrations)
        let gate = ReadinessGate(migrations: migrations)
        let schema = SchemaCheck(
            configuration: configuration, logger: logger, migrate: migrate, availability: availability,
            sharing: sharing, onWait: gate.wait)
        let (loops, pools) = try createLoops(availability, sharing)
        try schema.start(migrations, patience: Self.schemaPatience) {
            gate.open()
            for pool in pools { pool.start() }
        }
        let parts = try ServerParts(self, loops: loops, pools: pools, gate: gate)
        defer { parts.stop() }
        let certificateStamps = configuration.tls.map { FileStamp.all($0.paths) } ?? []
        let ports = try openPorts(parts)
        let reloading = reloading(parts, ports.api, certificateStamps)
        defer { reloading?.stop() }
        for loop in loops { loop.start() }
        parts.poller?.start()
        let watchdog = LoopWatchdog(loops, reportingTo: manager)
        defer { watchdog?.stop() }
        manager.report(.ready)
        logger.log(
            .info, "listening", [.host: "\(configuration.host)", .port: .stringConvertible(ports.apiPort)])
        onListening(ports.apiPort)

        let ending = signals.wait()
        logger.log(.info, "stopping", [.signal: .stringConvertible(Int(ending))])
        manager.report(
            .stopping(within: configuration.shutdownDelay + configuration.limits.drainTime + Self.exitReserve))
        gate.close()
        (MonotonicTime.now() + configuration.shutdownDelay).sleep()
        let clean = shutDown(ports.all)
        for pool in pools { pool.close() }
        logger.log(.info, "stopped", [.clean: .stringConvertible(clean)])
    }

    /// What SIGHUP and changed files reload; `nil` when SIGHUP stops the server.
    private struct Reloading {
        let certificate: CertificateReloader?
        let keys: TokenKeyReloader?
        let hangUp: HangUpSignal

        func stop() {
            hangUp.stop()
            certificate?.stop()
            keys?.stop()
        }
    }

    /// - Parameter stamps: those of the files of the certificate from before it was read.
    private func reloading(_ parts: ServerParts, _ server: HTTPServer, _ stamps: [FileStamp?]) -> Reloading? {
        guard !stopSignals.contains(SIGHUP) else { return nil }
        let certificate = configuration.tls.map {
            CertificateReloader(files: $0, since: stamps, server: server, metrics: parts.metrics, logger: logger)
        }
        let keys = TokenKeyReloader(keys: configuration.tokenKeys, verifier: parts.verifier, logger: logger)
        let reloads: [(@Sendable () -> Void)?] = [certificate?.reload, keys?.reload, parts.fetcher?.reload]
        return Reloading(
            certificate: certificate, keys: keys,
            hangUp: HangUpSignal(reportingTo: manager, reloads.compactMap { $0 }))
    }

    /// Stops all servers in parallel, so that together they take no longer than one.
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
}
