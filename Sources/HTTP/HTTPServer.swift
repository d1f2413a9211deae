import Dispatch
import Concurrency
import EventLoop
import Glibc
import TLS

/// An operational event of the server. May be delivered on any thread.
package enum HTTPServerEvent: Sendable {
    /// A TLS handshake failed, with the reason.
    case handshakeFailed(String)
    /// A connection was rejected, with the limit that it exceeded.
    case connectionRejected(String)
    /// No connection can be accepted for a moment, as the system has no descriptors or memory for it.
    case acceptPaused(String)
}

/// An HTTP/1.1 server on several event loops: the first accepts connections and distributes them in turn.
///
/// `@unchecked Sendable`: the listener's state is confined to the first loop.
package final class HTTPServer: EventHandler, @unchecked Sendable {
    private let servers: [HTTPLoopServer]
    private let limits: HTTPLimits
    private let counter: ConnectionCounter
    private let trustedProxies: TrustedProxies
    private let tls: Locked<TLSContext?>
    private let onEvent: @Sendable (HTTPServerEvent) -> Void
    private var listener: Int32 = -1
    private var listening = false
    private var next = 0

    /// Creates a server that is idle until ``listen(host:port:)``.
    ///
    /// - Parameters:
    ///   - loops: the loops and the responder of each; at least one.
    ///   - tls: what its port speaks TLS with; `nil` for plain HTTP.
    ///   - other: a server whose connections count against the same limits.
    package init(
        loops: [(loop: EventLoop, responder: any HTTPResponder)], limits: HTTPLimits, tls: TLSContext? = nil,
        trustedProxies: TrustedProxies = TrustedProxies(), sharing other: HTTPServer? = nil,
        onEvent: @escaping @Sendable (HTTPServerEvent) -> Void = { _ in }
    ) {
        precondition(!loops.isEmpty, "a server needs a loop")
        signal(SIGPIPE, SIG_IGN)
        var limits = limits
        limits.connections = max(1, min(limits.connections, Self.descriptorsForConnections))
        self.limits = limits
        self.tls = Locked(tls)
        self.onEvent = onEvent
        let counter = other?.counter ?? ConnectionCounter(limits: limits)
        self.counter = counter
        self.trustedProxies = trustedProxies
        servers = loops.map {
            HTTPLoopServer(
                loop: $0.loop, limits: limits, share: loops.count, responder: $0.responder, counter: counter,
                trustedProxies: trustedProxies, onEvent: onEvent)
        }
    }

    /// Descriptors that are left for the database, messages, logs and files.
    private static let reservedDescriptors = 64

    /// Number of connections for which the process has descriptors; raises the soft limit to the hard one.
    package static var descriptorsForConnections: Int { Socket.raiseDescriptorLimit() - reservedDescriptors }

    /// Replaces certificate, key and ticket keys for new connections; open connections keep theirs. From any
    /// thread.
    package func use(_ tls: TLSContext) {
        self.tls.withLock { $0 = tls }
    }

    /// Current connection and request counters.
    package var statistics: HTTPStatistics {
        servers.map { server in server.statistics.withLock { $0 } }.reduce(HTTPStatistics(), +)
    }

    /// Binds, listens and begins to serve.
    ///
    /// - Parameter port: 0 to let the system choose.
    /// - Returns: the port.
    /// - Throws: ``SocketError``.
    package func listen(host: String, port: Int) throws(SocketError) -> Int {
        let (descriptor, actualPort) = try Socket.listen(host: host, port: port, backlog: limits.acceptBacklog)
        serve(descriptor)
        return actualPort
    }

    /// Begins to serve on a socket that listens already. The server closes it at its end.
    ///
    /// - Throws: ``SocketError``.
    package func listen(on descriptor: Int32) throws(SocketError) {
        try Socket.prepare(descriptor)
        serve(descriptor)
    }

    private func serve(_ descriptor: Int32) {
        listener = descriptor
        for server in servers { server.start() }
        servers[0].loop.execute {
            self.resumeListening()
            // A listener that was paused for want of descriptors is tried again at each tick.
            self.servers[0].loop.onTick { self.resumeListening() }
        }
    }

    private func resumeListening() {
        guard !listening, listener >= 0 else { return }
        listening = (try? servers[0].loop.watch(listener, for: .readable, handler: self)) != nil
    }

    private func pauseListening() {
        guard listening else { return }
        servers[0].loop.unwatch(listener, handler: self)
        listening = false
    }

    /// Accepts what waits; part of `EventHandler`.
    package func ready(_ events: Readiness) {
        for _ in 0..<64 where !acceptOne() { return }
    }

    /// - Returns: whether another connection may be waiting.
    private func acceptOne() -> Bool {
        let (descriptor, client) = Socket.accept(listener)
        if descriptor >= 0 {
            take(descriptor, of: client)
            return true
        }
        switch -descriptor {
        case EAGAIN, EWOULDBLOCK: return false
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            onEvent(.acceptPaused(String(cString: strerror(-descriptor))))
            pauseListening()
            return false
        default: return true  // the client is gone already (accept(2))
        }
    }

    private func take(_ descriptor: Int32, of client: ClientAddress) {
        let tls = tls.withLock { $0 }
        let client = trustedProxies.contains(client) ? nil : client
        if let rejection = counter.add(client) {
            onEvent(.connectionRejected(rejection.rawValue))
            return reject(descriptor, isSecure: tls != nil)
        }
        servers[next].adopt(descriptor, of: client, tls: tls)
        next = (next + 1) % servers.count
    }

    /// Closes a connection over the limits, sending a best-effort 503 first. The client's bytes are
    /// read before that, as a close would otherwise reset the connection and destroy the response.
    private func reject(_ descriptor: Int32, isSecure: Bool) {
        if !isSecure {
            var response: [UInt8] = []
            var request = RejectedRequest()
            request.isConnection = true
            let rejection = servers[0].responder.reject(
                .serviceUnavailable, reason: "over the limit of connections", request: request)
            ResponseEncoder.encode(
                rejection, isHead: false, version: .http11, keepAlive: false, date: servers[0].date, into: &response)
            servers[0].withReceiveBuffer { _ = Socket.receive(descriptor, into: $0) }
            _ = response.withUnsafeBytes { Socket.send(descriptor, $0) }
            Socket.shutdownSending(descriptor)
        }
        Socket.close(descriptor)
    }

    /// Stops accepting, lets requests in flight finish, and closes what is not done in time. Blocks the caller, which
    /// must not be a loop.
    ///
    /// - Returns: whether all connections ended by themselves.
    package func shutDown() -> Bool {
        let group = DispatchGroup()
        for _ in servers { group.enter() }
        servers[0].loop.execute {
            // Connections that the kernel has already accepted are served like any other.
            while self.listener >= 0, self.acceptOne() {}
            self.pauseListening()
            if self.listener >= 0 { Socket.close(self.listener) }
            self.listener = -1
            for server in self.servers { server.drain { group.leave() } }
        }
        let clean = group.wait(timeout: .now() + limits.drainTime.inSeconds) == .success
        if !clean {
            for server in servers { server.abort() }
            _ = group.wait(timeout: .now() + 1)
        }
        return clean
    }
}
