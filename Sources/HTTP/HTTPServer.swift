import Dispatch
import EventLoop
import Glibc
import Synchronization

/// An HTTP/1.1 server on several event loops: the first accepts connections and deals them out in turn.
///
/// `@unchecked Sendable`: the listener's state is confined to the first loop.
public final class HTTPServer: EventHandler, @unchecked Sendable {
    private let servers: [HTTPLoopServer]
    private let limits: HTTPLimits
    private var listener: Int32 = -1
    private var listening = false
    private var next = 0

    /// Makes a server that does nothing before ``listen(host:port:)``.
    ///
    /// - Parameter loops: the loops and what answers on each; at least one.
    public init(loops: [(loop: EventLoop, responder: any HTTPResponder)], limits: HTTPLimits) {
        precondition(!loops.isEmpty, "a server needs a loop")
        self.limits = limits
        servers = loops.map { HTTPLoopServer(loop: $0.loop, limits: limits, responder: $0.responder) }
    }

    /// Binds, listens and begins to serve.
    ///
    /// - Parameter port: 0 to let the system choose.
    /// - Returns: the port.
    /// - Throws: ``SocketError``.
    public func listen(host: String, port: Int) throws(SocketError) -> Int {
        signal(SIGPIPE, SIG_IGN)
        Socket.raiseDescriptorLimit()
        let (descriptor, actualPort) = try Socket.listen(host: host, port: port, backlog: limits.acceptBacklog)
        listener = descriptor
        for server in servers { server.start() }
        servers[0].loop.execute {
            self.resumeListening()
            // A listener that was paused for want of descriptors is tried again at each tick.
            self.servers[0].loop.onTick { self.resumeListening() }
        }
        return actualPort
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
    public func ready(_ events: Readiness) {
        for _ in 0..<64 {
            let descriptor = Socket.accept(listener)
            if descriptor >= 0 {
                servers[next].adopt(descriptor)
                next = (next + 1) % servers.count
                continue
            }
            switch -descriptor {
            case EAGAIN, EWOULDBLOCK: return
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return pauseListening()
            default: continue  // the client is gone already (accept(2))
            }
        }
    }

    /// Stops accepting, lets what is under way be answered, and ends what is not done in time. Blocks the caller, which
    /// must not be a loop.
    ///
    /// - Returns: whether all connections ended by themselves.
    public func shutDown() -> Bool {
        let group = DispatchGroup()
        servers[0].loop.execute {
            self.pauseListening()
            if self.listener >= 0 { Socket.close(self.listener) }
            self.listener = -1
        }
        for server in servers {
            group.enter()
            server.drain { group.leave() }
        }
        let clean = group.wait(timeout: .now() + limits.drainTime.inSeconds) == .success
        if !clean {
            for server in servers { server.abort() }
            _ = group.wait(timeout: .now() + 1)
        }
        return clean
    }
}
