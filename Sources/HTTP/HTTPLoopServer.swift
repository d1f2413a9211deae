import EventLoop
import Glibc

/// The connections of one event loop and what they share.
///
/// `@unchecked Sendable`: confined to its loop.
final class HTTPLoopServer: @unchecked Sendable {
    let loop: EventLoop
    let limits: HTTPLimits
    let responder: any HTTPResponder
    private(set) var draining = false
    private(set) var date: [UInt8] = []
    private var dateSecond = 0
    private var connections: [Int32: HTTPConnection] = [:]
    private let receiveBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var whenEmpty: (@Sendable () -> Void)?

    init(loop: EventLoop, limits: HTTPLimits, responder: any HTTPResponder) {
        self.loop = loop
        self.limits = limits
        self.responder = responder
    }

    deinit {
        receiveBuffer.deallocate()
    }

    func start() {
        loop.execute {
            self.updateDate()
            self.loop.onTick { self.tick() }
        }
    }

    /// Takes an accepted connection. From any thread.
    func adopt(_ descriptor: Int32) {
        loop.execute { self.serve(descriptor) }
    }

    private func serve(_ descriptor: Int32) {
        guard !draining else { return Socket.close(descriptor) }
        let connection = HTTPConnection(descriptor: descriptor, server: self)
        do {
            // Edge-triggered and registered once: no further system call for a connection's whole life.
            try loop.watch(
                descriptor, for: [.readable, .writable, .peerClosed, .edgeTriggered], handler: connection)
        } catch {
            return Socket.close(descriptor)
        }
        connections[descriptor] = connection
        Task(executorPreference: loop) { await connection.run() }
    }

    /// Called by a connection at its end.
    func closed(_ connection: HTTPConnection, _ descriptor: Int32) {
        loop.unwatch(descriptor, handler: connection)
        connections[descriptor] = nil
        Socket.close(descriptor)
        if draining, connections.isEmpty { reportEmpty() }
    }

    /// A buffer that all connections of the loop receive into, one at a time.
    func withReceiveBuffer<T>(_ body: (UnsafeMutableRawBufferPointer) -> T) -> T {
        body(receiveBuffer)
    }

    /// Ends idle connections and makes every other one's current answer its last.
    ///
    /// - Parameter completion: called on the loop when no connection is left.
    func drain(_ completion: @escaping @Sendable () -> Void) {
        loop.execute {
            self.draining = true
            self.whenEmpty = completion
            for connection in self.connections.values { connection.drain() }
            if self.connections.isEmpty { self.reportEmpty() }
        }
    }

    /// Ends all connections at once. From any thread.
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
        updateDate()
        for connection in connections.values { connection.checkDeadlines(at: loop.now) }
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
