import Concurrency
import EventLoop
import TLS

/// One client's connection: read, parse, respond, write, keep or close.
///
/// One request is under way at a time, which keeps pipelined answers in order and is the backpressure: while a response is
/// made or the client does not take it, nothing more is read.
///
/// `@unchecked Sendable`: confined to its loop; its task runs there.
final class HTTPConnection: EventHandler, @unchecked Sendable {
    private enum Wait { case ready, timedOut, gone }

    private let transport: Transport
    private let client: ClientAddress
    private let server: HTTPLoopServer
    private let limits: HTTPLimits
    private var parser: RequestParser
    /// What runs ``run()``. It is cancelled when the client is gone for good, so that nothing is begun for it any more; a
    /// client that only sends no more still gets its answer.
    var task: Task<Void, Never>?
    private var readable = false
    private var peerClosed = false
    private var failed = false
    private var closing = false

    private var output: [UInt8] = []
    private var written = 0
    private var lastWrite: MonotonicTime

    private var inputWaiter: UnsafeContinuation<Wait, Never>?
    private var outputWaiter: UnsafeContinuation<Wait, Never>?
    /// When the wait for input, whatever it is for, ends without it.
    private var inputDeadline: MonotonicTime
    private var lingering = false
    private var requests = 0
    private var stepsWithoutWait = 0
    /// What of this connection's input counts against the server's bound.
    private var countedBytes = 0

    /// Above this much unsent output no further request is parsed.
    private static let outputBound = 64 << 10
    /// After so many requests or reads without a wait the other connections have their turn.
    private static let turnBound = 32

    init(transport: Transport, client: ClientAddress, server: HTTPLoopServer) {
        self.transport = transport
        self.client = client
        self.server = server
        limits = server.limits
        parser = RequestParser(limits: server.limits)
        lastWrite = server.loop.now
        inputDeadline = server.loop.now + server.limits.headerTime
    }

    // MARK: The life of a connection

    /// Serves requests until one side ends it.
    func run() async {
        if await handshake() { await serve() }
        await finish()
        server.count(bufferedBytes: -countedBytes)
        server.closed(self, transport.descriptor, client)
        task = nil
    }

    private func handshake() async -> Bool {
        guard let session = transport.session else { return true }
        inputDeadline = server.loop.now + limits.handshakeTime
        while !failed {
            switch session.handshake() {
            case .done:
                server.handshakes += 1
                return true
            case .wouldBlock: break
            case .endOfFile: return false
            case .failed(let reason):
                server.onEvent(.handshakeFailed(reason))
                return false
            }
            switch await withUnsafeContinuation({ inputWaiter = $0 }) {
            case .ready: continue
            case .gone: return false
            case .timedOut:
                server.onEvent(.handshakeFailed("not complete in time"))
                return false
            }
        }
        return false
    }

    private func serve() async {
        // A client that has just connected has no more time for its first header section than for a later one.
        var idleDeadline = server.loop.now + limits.idleTime
        do {
            while let request = try await nextRequest(idleUntil: idleDeadline) {
                requests += 1
                let response = await answer(request)
                closing =
                    closing || !request.keepAlive || server.draining || requests >= limits.requestsPerConnection
                write(response, method: request.method, version: request.version)
                if closing { break }
                if output.count - written > Self.outputBound, await drainOutput() != .ready { break }
                await yieldIfLong()
                idleDeadline = server.loop.now + limits.idleTime
            }
        } catch {
            closing = true
            let unfinished = parser.unfinished
            write(
                server.responder.refuse(error.status, reason: error.reason, request: unfinished),
                method: unfinished.method)
        }
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        guard server.underWay < server.maximumUnderWay else {
            return server.responder.refuse(
                .serviceUnavailable, reason: "too many requests under way", request: RefusedRequest(request))
        }
        server.underWay += 1
        server.count(bufferedBytes: request.body.count)
        defer {
            server.underWay -= 1
            server.count(bufferedBytes: -request.body.count)
        }
        return await server.responder.respond(to: request, received: server.loop.now)
    }

    /// The next request, or `nil` when none will come.
    private func nextRequest(idleUntil idleDeadline: MonotonicTime) async throws(HTTPParseError) -> HTTPRequest? {
        var headDeadline: MonotonicTime?
        var bodyDeadline: MonotonicTime?
        while !failed {
            let request = try parser.next()
            try countBufferedBytes()
            if let request {
                // The answers before it must not wait for its own.
                if written < output.count { server.flushAtTurnEnd(self) }
                return request
            }
            if parser.takeContinueExpectation() {
                output.append(contentsOf: Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
            }
            flush()
            if failed { return nil }
            let now = server.loop.now
            switch parser.phase {
            case .idle:
                if server.draining { return nil }
                inputDeadline = idleDeadline
            case .head:
                headDeadline = headDeadline ?? now + limits.headerTime
                inputDeadline = headDeadline ?? idleDeadline
            case .body:
                let end = bodyDeadline ?? now + limits.bodyTime
                bodyDeadline = end
                inputDeadline = min(now + limits.bodyStall, end)
            }
            switch await moreInput() {
            case .ready: continue
            case .gone: return nil
            case .timedOut:
                guard parser.phase != .idle else { return nil }
                throw HTTPParseError(status: .requestTimeout, reason: "the request did not arrive in time")
            }
        }
        return nil
    }

    /// Keeps account of what the parser holds.
    private func countBufferedBytes() throws(HTTPParseError) {
        let held = parser.bufferedBytes
        let grown = held > countedBytes
        server.count(bufferedBytes: held - countedBytes)
        countedBytes = held
        guard !grown || server.bufferedBytes <= server.maximumBufferedBytes else {
            throw HTTPParseError(status: .serviceUnavailable, reason: "too many bytes of unfinished requests")
        }
    }

    /// Sends what is left, then closes so that the client can still read it: a close with unread input in the kernel
    /// would reset the connection and might destroy the answer (RFC 9112 section 9.6).
    private func finish() async {
        guard await drainOutput() == .ready else { return }
        transport.closeSending()
        lingering = true
        inputDeadline = server.loop.now + limits.lingerTime
        while !failed, await moreInput() == .ready {}
    }

    // MARK: Input

    private func moreInput() async -> Wait {
        while !failed {
            if !readable {
                stepsWithoutWait = 0
                let wait = await withUnsafeContinuation { inputWaiter = $0 }
                guard wait == .ready else { return wait }
            } else if await yieldIfLong(), inputDeadline <= server.loop.now {
                return .timedOut
            }
            switch receive() {
            case .transferred: return .ready
            case .wouldBlock: readable = false
            case .endOfFile: return .gone
            case .failed: failed = true
            }
        }
        return .gone
    }

    /// Lets the loop serve others and look at its clock, if this connection has kept it busy.
    ///
    /// - Returns: whether it had to.
    @discardableResult
    private func yieldIfLong() async -> Bool {
        stepsWithoutWait += 1
        guard stepsWithoutWait >= Self.turnBound else { return false }
        stepsWithoutWait = 0
        await server.nextTurn()
        return true
    }

    private func receive() -> TransferResult {
        server.withReceiveBuffer { buffer in
            // What comes after the end is only thrown away, so it needs no decrypting.
            if lingering { return Socket.receive(transport.descriptor, into: buffer) }
            let result = transport.receive(into: buffer)
            if case .transferred(let count) = result {
                parser.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                // A short read has emptied the socket; the next edge tells of more (epoll(7)), but the edge of a peer
                // that sends no more comes only once.
                readable = count == buffer.count || peerClosed || transport.isSecure
            }
            return result
        }
    }

    // MARK: Output

    private func write(_ response: HTTPResponse, method: HTTPMethod?, version: HTTPVersion = .http11) {
        if output.count == written { lastWrite = server.loop.now }
        ResponseEncoder.encode(
            response, isHead: method == .head, version: version, keepAlive: !closing, date: server.date, into: &output)
    }

    func flush() {
        while written < output.count, !failed {
            let result = output.withUnsafeBytes { bytes in
                transport.send(UnsafeRawBufferPointer(rebasing: bytes[written...]))
            }
            switch result {
            case .transferred(let count):
                written += count
                lastWrite = server.loop.now
            case .wouldBlock: return
            case .endOfFile, .failed: failed = true
            }
        }
        written = 0
        output.removeAll(keepingCapacity: output.capacity <= limits.idleBufferBytes)
    }

    private func drainOutput() async -> Wait {
        while true {
            flush()
            if failed { return .gone }
            if written == output.count { return .ready }
            let wait = await withUnsafeContinuation { outputWaiter = $0 }
            guard wait == .ready else { return wait }
        }
    }

    // MARK: Events

    func ready(_ events: Readiness) {
        // While the rest of the input is thrown away, a hang-up only says that it is the rest.
        if !events.isDisjoint(with: [.failed, .hungUp]), !lingering {
            failed = true
            task?.cancel()
        }
        if events.contains(.peerClosed) { peerClosed = true }
        if transport.isSecure || !events.isDisjoint(with: [.writable, .failed, .hungUp]) {
            // The edge comes once, whatever the task is doing.
            if outputWaiter == nil { flush() }
            resumeOutput(failed ? .gone : .ready)
        }
        if transport.isSecure || !events.isDisjoint(with: [.readable, .peerClosed, .failed, .hungUp]) {
            readable = true
            resumeInput(failed ? .gone : .ready)
        }
    }

    /// Called at each tick of the loop.
    func checkDeadlines(at now: MonotonicTime) {
        if written < output.count, lastWrite + limits.writeTime <= now {
            failed = true
            resumeOutput(.timedOut)
            resumeInput(.gone)
        }
        if inputWaiter != nil, inputDeadline <= now { resumeInput(.timedOut) }
    }

    /// Ends the connection if nothing is under way on it; else its current answer will be its last.
    func drain() {
        if parser.phase == .idle, inputWaiter != nil, !lingering { resumeInput(.gone) }
    }

    /// Ends the connection whatever is under way.
    func abort() {
        failed = true
        resumeInput(.gone)
        resumeOutput(.gone)
    }

    private func resumeInput(_ wait: Wait) {
        inputWaiter?.resume(returning: wait)
        inputWaiter = nil
    }

    private func resumeOutput(_ wait: Wait) {
        outputWaiter?.resume(returning: wait)
        outputWaiter = nil
    }
}
