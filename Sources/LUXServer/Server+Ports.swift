import Concurrency
import EventLoop
import HTTP
import LUXAPI
import LUXSettings
import Logging
import Systemd
import TLS

/// The open ports of a server.
struct OpenPorts {
    let api: HTTPServer
    let apiPort: Int
    /// The plain port of a server that also has a TLS port.
    let redirector: HTTPServer?
    /// The port for metrics alone.
    let metrics: HTTPServer?

    var all: [HTTPServer] { [api, redirector, metrics].compactMap { $0 } }
}

extension Server {
    /// Connections to the metrics' own port: some Prometheus servers and operators.
    private static let metricsConnections = 64

    /// With room for fewer connections the server does not start.
    private static let leastConnections = 100

    /// Opens the configured ports; the loops of `parts` serve them once they run.
    ///
    /// - Throws: `Configuration.VariableErrors` when an address cannot be listened on, `TLSError`.
    func openPorts(_ parts: ServerParts) throws -> OpenPorts {
        let events = ServerEventLog(logger: logger)
        let metrics = parts.metrics
        let onEvent = { @Sendable (event: HTTPServerEvent) in
            events.log(event)
            metrics.count(event)
        }
        let credentials = try configuration.tls?.credentials()
        if let credentials { metrics.observe(credentials) }
        let server = HTTPServer(
            loops: zip(parts.loops, parts.responders(self)).map { ($0, $1) }, limits: configuration.limits,
            tls: try credentials.map { try TLSContext($0) }, trustedProxies: configuration.trustedProxies,
            onEvent: onEvent)
        metrics.observe(server, parts.pools, parts.uploads, parts.notifier, log)
        let port = try listen(server, configuration.host, configuration.port, "LUX_HOST", "LUX_PORT")
        let redirector = try redirector(beside: server, on: parts.loops, to: port, onEvent: onEvent)
        let metricsServer = try metricsServer(metrics, on: parts.loops, onEvent: onEvent)
        return OpenPorts(api: server, apiPort: port, redirector: redirector, metrics: metricsServer)
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
        // Counted separately from the other connections: metrics are needed most when those have reached their limit.
        var limits = configuration.limits
        limits.connections = Self.metricsConnections
        let metricsServer = HTTPServer(
            loops: loops.map { ($0, PortResponder.metrics(metrics.text, log: requestLog.write)) },
            limits: limits, onEvent: onEvent)
        let actual = try listen(metricsServer, configuration.metricsHost, port, "LUX_METRICS_HOST", "LUX_METRICS_PORT")
        logger.log(.info, "metrics", [.port: .stringConvertible(actual)])
        return metricsServer
    }

    /// - Throws: `Configuration.VariableErrors` that names the variable whose address or port cannot be used.
    private func listen(
        _ server: HTTPServer, _ host: String, _ port: Int, _ hostVariable: String, _ portVariable: String
    ) throws(Configuration.VariableErrors) -> Int {
        do throws(SocketError) {
            if let socket = sockets.first(where: { $0.port == port }) {
                try server.listen(on: socket.descriptor)
                return port
            }
            return try server.listen(host: host, port: port)
        } catch {
            let variable = error.isAboutAddress ? hostVariable : portVariable
            throw Configuration.VariableErrors([Configuration.VariableError(variable: variable, reason: "\(error)")])
        }
    }

    /// - Throws: `Configuration.VariableErrors` when the service manager passed a socket that no variable names: its clients would
    ///   wait forever.
    func requirePorts() throws(Configuration.VariableErrors) {
        let ports = [configuration.port, configuration.redirectPort, configuration.metricsPort].compactMap { $0 }
        var free = ports
        var errors: [Configuration.VariableError] = []
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
            errors.append(Configuration.VariableError(variable: "LISTEN_FDS", reason: reason))
        }
        guard errors.isEmpty else { throw Configuration.VariableErrors(errors) }
    }

    /// - Throws: `Configuration.VariableErrors` when the limit of open files leaves room for too few connections.
    func requireDescriptors() throws(Configuration.VariableErrors) {
        let room = HTTPServer.descriptorsForConnections - configuration.databasePool
        guard room < Self.leastConnections else { return }
        throw Configuration.VariableErrors([
            Configuration.VariableError(
                variable: "limit of open files",
                reason: "leaves room for \(max(0, room)) connections; raise it to 1024 or more (ulimit -n, LimitNOFILE)"
            )
        ])
    }
}
