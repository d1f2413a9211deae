import CLinux
import Concurrency
import Dispatch
import EventLoop
import Glibc
import TLS

/// The connections of one event loop and what they share. Owned by `HTTPServer`; never throws.
///
/// `@unchecked Sendable`: confined to its loop, which its entries check; ``start()``, ``adopt(_:of:tls:)``, ``drain(_:)`` and
/// ``abort()`` may be called from any thread.
final class HTTPLoopServer: @unchecked Sendable {
    let loop: EventLoop
    let limits: HTTPLimits
    let responder: any HTTPResponder
    private(set) var draining = false
    private(set) var date: [UInt8] = []
    /// Fields of a response to a client that named `keep-alive`.
    let keepAliveHint: [UInt8]
    private var dateSecond = 0
    private var connections: [Int32: HTTPConnection] = [:]
    private let counter: ConnectionCounter
    let trustedProxies: TrustedProxies
    let onEvent: @Sendable (HTTPServerEvent) -> Void
    /// Requests in flight, and their limit.
    var inFlight = 0
    let maximumInFlight: Int
    /// Memory of unfinished requests and unsent responses.
    var memory: MemoryShares
    /// While the server drains: when any wait for input ends.
    private(set) var inputDeadline = MonotonicTime(nanoseconds: .max)
    /// For other threads; updated at each tick.
    let statistics = Locked(HTTPStatistics())
    /// Idle connections that have no task.
    var parked = 0
    /// TLS handshakes that were completed.
    var handshakes = 0
    private var unflushed: [HTTPConnection] = []
    private var yielded: [UnsafeContinuation<Void, Never>] = []
    private let receiveBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var whenEmpty: (@Sendable () -> Void)?

    private var trim = MemoryTrim()

    /// - Parameter share: the number of loops, among which the limits of the process are divided.
    init(
        loop: EventLoop, limits: HTTPLimits, share: Int, responder: any HTTPResponder, counter: ConnectionCounter,
        trustedProxies: TrustedProxies, onEvent: @escaping @Sendable (HTTPServerEvent) -> Void
    ) {
        self.loop = loop
        self.limits = limits
        self.responder = responder
        self.counter = counter
        self.trustedProxies = trustedProxies
        self.onEvent = onEvent
        keepAliveHint = ResponseEncoder.keepAliveHint(idleTime: limits.idleTime)
        maximumInFlight = max(1, limits.requestsInFlight / share)
        memory = MemoryShares(limit: max(1, limits.bufferedBytes / share), limits: limits)
    }

    deinit {
        receiveBuffer.deallocate()
    }

    func start() {
        loop.execute {
            self.updateDate()
            self.loop.onTick { self.tick() }
            self.loop.onTurnEnd { self.endTurn() }
        }
    }

    /// Takes an accepted connection. From any thread.
    ///
    /// - Parameter client: `nil` for a trusted proxy.
    func adopt(_ descriptor: Int32, of client: ClientAddress?, tls: TLSContext?) {
        loop.execute { self.serve(descriptor, of: client, tls: tls) }
    }

    private func serve(_ descriptor: Int32, of client: ClientAddress?, tls: TLSContext?) {
        loop.assertCurrent()
        func giveUp() {
            Socket.close(descriptor)
            counter.remove(client)
        }
        do {
            let session = try tls.map { try TLSSession($0, descriptor: descriptor) }
            let connection = HTTPConnection(
                transport: Transport(descriptor: descriptor, session: session), client: client, server: self)
            // Edge-triggered and registered once: no further system call for a connection's whole life.
            try loop.watch(
                descriptor, for: [.readable, .writable, .peerClosed, .edgeTriggered], handler: connection)
            assert(connections[descriptor] == nil, "a descriptor is open twice")
            connections[descriptor] = connection
            connection.start()
        } catch {
            giveUp()
        }
    }

    /// Called by a connection at its end.
    func closed(_ connection: HTTPConnection, _ descriptor: Int32, _ client: ClientAddress?) {
        loop.assertCurrent()
        assert(connections[descriptor] === connection, "closed twice")
        loop.unwatch(descriptor, handler: connection)
        connections[descriptor] = nil
        Socket.close(descriptor)
        counter.remove(client)
        if draining, connections.isEmpty { reportEmpty() }
    }

    /// Counts a connection of a trusted proxy for the client behind it.
    func assign(_ client: ClientAddress) -> Bool { counter.assign(client) }

    /// Sends what a connection has buffered once this turn's requests have responses or wait.
    func flushAtTurnEnd(_ connection: HTTPConnection) {
        loop.assertCurrent()
        unflushed.append(connection)
    }

    /// Waits until the loop has checked its sockets and its clock again.
    func nextTurn() async {
        loop.assertCurrent()
        await withUnsafeContinuation { yielded.append($0) }
    }

    private func endTurn() {
        if !unflushed.isEmpty {
            for connection in unflushed { connection.flush() }
            unflushed.removeAll(keepingCapacity: true)
        }
        guard !yielded.isEmpty else { return }
        // As jobs of the loop they run in its next turn.
        for continuation in yielded { continuation.resume() }
        yielded.removeAll(keepingCapacity: true)
    }

    /// A buffer that all connections of the loop receive into, one at a time.
    func withReceiveBuffer<T>(_ body: (UnsafeMutableRawBufferPointer) -> T) -> T {
        loop.assertCurrent()
        return body(receiveBuffer)
    }

    /// Ends idle connections that have had a response; on all others the current or first response is the last one.
    ///
    /// - Parameter completion: called on the loop when no connection is left.
    func drain(_ completion: @escaping @Sendable () -> Void) {
        loop.execute {
            self.draining = true
            self.inputDeadline = self.loop.now + self.limits.drainInputTime
            self.whenEmpty = completion
            for connection in self.connections.values { connection.drain() }
            if self.connections.isEmpty { self.reportEmpty() }
        }
    }

    /// Ends all connections immediately. From any thread.
    func abort() {
        loop.execute {
            for connection in self.connections.values { connection.abort() }
        }
    }

    private func reportEmpty() {
        whenEmpty?()
        whenEmpty = nil
    }

    private func tick() {
        loop.assertCurrent()
        updateDate()
        let now = HTTPStatistics(connections: connections.count, inFlight: inFlight, handshakes: handshakes)
        statistics.withLock { $0 = now }
        for connection in connections.values { connection.checkDeadlines(at: loop.now) }
        if trim.isDue(connections: connections.count - parked, released: memory.takePeak(), now: loop.now) {
            // Not on the loop: it walks all arenas.
            DispatchQueue.global(qos: .utility).async { malloc_trim(0) }
        }
    }

    private func updateDate() {
        var second = time(nil)
        guard second != dateSecond else { return }
        dateSecond = second
        var parts = tm()
        gmtime_r(&second, &parts)
        date = HTTPDate.format(parts)
    }
}
