import Concurrency
import EventLoop

/// One client's connection: read, parse, respond, write, keep or close. Never throws: an error ends the connection.
///
/// `+Opening` reads what precedes the first request, `+Transfer` moves bytes and handles the events of the loop.
///
/// One request is in flight at a time, which keeps pipelined responses in order and is the backpressure: while a response
/// is computed or the client does not read it, nothing more is read.
///
/// Owned by its `HTTPLoopServer`. `@unchecked Sendable`: confined to its loop, on which its task runs; entries check it.
final class HTTPConnection: EventHandler, @unchecked Sendable {
    enum Wait { case ready, timedOut, gone, idle }

    let transport: Transport
    /// The peer's address, or the one that a trusted proxy named for the whole connection; `nil` for a trusted proxy.
    var client: ClientAddress?
    /// Whether the peer is a trusted proxy, whose `X-Forwarded-For` names the client of each request.
    let isProxied: Bool
    let server: HTTPLoopServer
    let limits: HTTPLimits
    var parser: RequestParser
    /// The task of ``run()``. It is cancelled when the client has disconnected, so that no further work is started for it; a
    /// client that has only closed its sending side still gets its response.
    var task: Task<Void, Never>?
    var readable = false
    var peerClosed = false
    var failed = false
    var closing = false

    var output = OutputBuffer()
    var lastWrite: MonotonicTime

    var inputWaiter: UnsafeContinuation<Wait, Never>?
    var outputWaiter: UnsafeContinuation<Wait, Never>?
    /// The deadline of any wait for input.
    var inputDeadline: MonotonicTime
    /// The start of the current wait for input.
    var waitingSince: MonotonicTime
    /// The time at which a client that sends nothing is disconnected.
    private var idleDeadline: MonotonicTime
    /// Whether what precedes the first request has been read.
    private(set) var isOpened = false
    /// Whether the task has ended although the connection is open: it is idle, and ``unpark()`` starts another task.
    private(set) var isParked = false
    var lingering = false
    var requests = 0
    /// When the first byte of an unfinished header section was received.
    private var requestStart: MonotonicTime?
    /// What the responder knows of the request whose body is being read.
    private var admission: (any Sendable)?
    /// Who is charged for the memory of the current request.
    var owner: MemoryOwner
    /// Bytes of this connection that are charged to ``owner``.
    private var chargedBytes = 0
    /// Bytes received while lingering.
    var discarded = 0
    /// Whether the client may still be sending a body that is discarded.
    var hasUnreadInput = false

    /// Above this much unsent output no further request is parsed.
    private static let outputBound = 64 << 10
    /// Time that a turn of the loop may take before this connection yields to others.
    static let turnTime = Duration.milliseconds(1)
    /// Time without input after which an idle connection ends its task, which is most of its memory: 10 of 12 KiB.
    static let parkTime = Duration.milliseconds(500)

    /// - Parameter client: `nil` for a trusted proxy.
    init(transport: Transport, client: ClientAddress?, server: HTTPLoopServer) {
        self.transport = transport
        self.client = client
        isProxied = client == nil
        self.server = server
        limits = server.limits
        parser = RequestParser(limits: server.limits)
        parser.client = client
        owner = MemoryOwner(client: client?.network)
        lastWrite = server.loop.now
        inputDeadline = server.loop.now + server.limits.headerTime
        waitingSince = server.loop.now
        idleDeadline = inputDeadline
    }

    // MARK: The life of a connection

    /// Starts the task that serves it.
    func start() {
        server.loop.assertCurrent()
        assert(task == nil, "one task at a time")
        task = Task(executorPreference: server.loop) { await self.run() }
    }

    /// Starts another task, as something has happened to an idle connection.
    func unpark() {
        isParked = false
        server.parked -= 1
        start()
    }

    /// Serves requests until one side ends it or it is parked.
    private func run() async {
        server.loop.assertCurrent()
        if !isOpened, await readProxyHeader(), await handshake() {
            isOpened = true
            // A client that has just connected has no more time for its first header section than for a later one.
            idleDeadline = server.loop.now + limits.idleTime
        }
        if isOpened { await serve() }
        guard !isParked else {
            task = nil
            server.parked += 1
            return
        }
        await finish()
        charge(0)
        assert(inputWaiter == nil && outputWaiter == nil, "the task is not suspended")
        server.closed(self, transport.descriptor, client)
        task = nil
    }

    private func serve() async {
        do {
            while !closing, let step = try await nextStep() {
                switch step {
                case .head(let head): admit(identified(head))
                case .request(let request): await respond(to: identified(request))
                }
                // Bytes that the kernel accepts immediately are not charged.
                if output.unsent > Self.outputBound { flush() }
                if output.unsent > Self.outputBound {
                    guard chargeMemory() == nil else {
                        // The client determines how long sending would take, and the memory is needed now.
                        failed = true
                        break
                    }
                    guard await drainOutput() == .ready else { break }
                }
                await yieldIfLong()
                idleDeadline = server.loop.now + limits.idleTime
            }
        } catch {
            // A request whose body is being discarded has had its response.
            if parser.phase != .discarding { reject(error) }
        }
    }

    // What is inlined into a function that suspends is part of its frame, and the frames of all requests in flight have to fit in the caches:
    // this and the other `@inline(never)` of this file halve the frame of `serve()`.
    @inline(never) private func reject(_ error: HTTPParseError) {
        closing = true
        hasUnreadInput = true
        var unfinished = parser.unfinished
        unfinished.client = client ?? server.trustedProxies.client(in: unfinished.headers)
        unfinished.received = requestStart
        write(
            server.responder.reject(error.status, reason: error.reason, request: unfinished), method: unfinished.method)
    }

    /// The request with its client, who is charged for it from now on.
    @inline(never) private func identified(_ request: HTTPRequest) -> HTTPRequest {
        guard isProxied else { return request }
        var request = request
        if let forwarded = server.trustedProxies.client(in: request.headers) {
            request.client = forwarded
            charge(0)
            owner.client = forwarded.network
        }
        return request
    }

    /// Decides on a request before its body is read. One that is rejected now has its response before its body has
    /// arrived, and the body is discarded.
    @inline(never) private func admit(_ head: HTTPRequest) {
        switch server.responder.admit(head, received: server.loop.now) {
        case .proceed(let admission, let account):
            self.admission = admission
            owner.account = account
        case .respond(let response):
            requests += 1
            closing = isLast(head)
            if parser.takeContinueExpectation() {
                // The client may send the body or leave it out (RFC 9110 section 10.1.1): the next bytes are ambiguous.
                closing = true
            }
            hasUnreadInput = closing
            write(response, method: head.method, version: head.version, hint: head.requestsKeepAlive)
            parser.discardBody()
            // Not only at the next step, before which the others may have their turn.
            charge(0)
        }
    }

    private func respond(to request: HTTPRequest) async {
        requests += 1
        requestStart = nil
        let response = await response(to: request)
        closing = isLast(request)
        write(response, method: request.method, version: request.version, hint: request.requestsKeepAlive)
    }

    private func isLast(_ request: HTTPRequest) -> Bool {
        closing || !request.keepAlive || server.draining || requests >= limits.requestsPerConnection
    }

    private func response(to request: HTTPRequest) async -> HTTPResponse {
        let admission = admission
        self.admission = nil
        guard server.inFlight < server.maximumInFlight || server.responder.isProbe(request) else {
            charge(0)
            return server.responder.reject(
                .serviceUnavailable, reason: "too many requests in flight", request: RejectedRequest(request))
        }
        server.inFlight += 1
        charge(request.body.count)
        defer {
            server.inFlight -= 1
            assert(server.inFlight >= 0)
            charge(0)
            owner.account = nil
        }
        return await server.responder.respond(to: request, admission: admission, received: server.loop.now)
    }

    /// The next header section or request; `nil` when there will be none or the connection is parked.
    private func nextStep() async throws(HTTPParseError) -> RequestParser.Step? {
        var phaseStart: (phase: RequestParser.Phase, time: MonotonicTime)?
        while !failed {
            let step = try parser.next()
            if let error = chargeMemory() { throw error }
            if let step {
                // The responses before it must not wait for its own.
                if output.unsent > 0 { server.flushAtTurnEnd(self) }
                return step
            }
            if parser.takeContinueExpectation() { output.append("HTTP/1.1 100 Continue\r\n\r\n") }
            flush()
            if failed { return nil }
            let (phase, now) = (parser.phase, server.loop.now)
            if phase == .idle, server.draining, requests > 0 { return nil }
            if phaseStart?.phase != phase { phaseStart = (phase, now) }
            if phase == .head { requestStart = requestStart ?? now } else if phase != .body { requestStart = nil }
            inputDeadline = deadline(of: phase, since: phaseStart?.time ?? now, now: now, idle: idleDeadline)
            switch await moreInput() {
            case .ready: continue
            case .gone: return nil
            case .idle:
                // Something may have arrived since.
                if readable { continue }
                isParked = true
                return nil
            case .timedOut:
                guard phase == .head || phase == .body else { return nil }
                throw HTTPParseError(status: .requestTimeout, reason: "the request did not arrive in time")
            }
        }
        return nil
    }

    private func deadline(
        of phase: RequestParser.Phase, since start: MonotonicTime, now: MonotonicTime, idle: MonotonicTime
    ) -> MonotonicTime {
        switch phase {
        case .idle: idle
        case .head: start + limits.headerTime
        case .body: min(now + limits.bodyStall, start + limits.bodyTime)
        case .discarding: min(now + limits.discardStall, start + limits.discardTime)
        }
    }

    /// Charges the memory of the connection to its client and account.
    ///
    /// - Returns: the error when one of them exceeds its share, or all together the limit.
    private func chargeMemory() -> HTTPParseError? {
        let held = parser.bufferedBytes + output.unsentOwn
        let hasGrown = held > chargedBytes
        charge(held)
        guard hasGrown, let reason = server.memory.excess(of: owner) else { return nil }
        return HTTPParseError(status: .serviceUnavailable, reason: reason)
    }

    private func charge(_ bytes: Int) {
        // Less than this is bounded by the number of connections and does not justify a table look-up for each request.
        let bytes = bytes > MemoryShares.uncountedBytes ? bytes : 0
        guard bytes != chargedBytes else { return }
        server.memory.charge(bytes - chargedBytes, to: owner)
        chargedBytes = bytes
    }

    /// Sends what is left, then closes so that the client can still read it: a close with unread input in the kernel
    /// would reset the connection and might destroy the response (RFC 9112 section 9.6). A client that is still sending
    /// a body gets the time that nginx grants.
    private func finish() async {
        guard await drainOutput() == .ready else { return }
        transport.closeSending()
        if server.draining, !hasUnreadInput { return }
        lingering = true
        let end = server.loop.now + (hasUnreadInput ? limits.discardTime : limits.lingerTime)
        let stall = hasUnreadInput ? limits.discardStall : limits.lingerTime
        inputDeadline = min(end, server.loop.now + stall)
        discarded = 0
        while !failed, discarded < limits.discardBytes, await moreInput() == .ready {
            inputDeadline = min(end, server.loop.now + stall)
        }
    }
}
