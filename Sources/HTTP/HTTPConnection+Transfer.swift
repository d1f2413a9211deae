import Concurrency
import EventLoop

/// Input, output and the events of the loop.
extension HTTPConnection {
    // MARK: Input

    func moreInput() async -> Wait {
        while !failed {
            if !readable {
                let wait = await waitForInput()
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

    /// Yields the loop, so that it serves others and checks its clock, if the present turn has been long. Called after each request and each read.
    ///
    /// - Returns: whether it yielded.
    @discardableResult
    func yieldIfLong() async -> Bool {
        guard .now() - server.loop.now > Self.turnTime else { return false }
        await server.nextTurn()
        return true
    }

    func receive() -> TransferResult {
        server.withReceiveBuffer { buffer in
            // Input after the end is discarded, so it is not decrypted.
            if lingering {
                let result = Socket.receive(transport.descriptor, into: buffer)
                if case .transferred(let count) = result { discarded += count }
                return result
            }
            let result = transport.receive(into: buffer)
            if case .transferred(let count) = result {
                parser.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                // A short read has emptied the socket; the next edge reports more (epoll(7)), but the edge of a peer
                // that sends no more comes only once.
                readable = count == buffer.count || peerClosed || transport.isSecure
            }
            return result
        }
    }

    /// Suspends the task until ``resumeInput(_:)``. Only one wait for input at a time.
    func waitForInput() async -> Wait {
        assert(inputWaiter == nil, "two waits for input")
        waitingSince = server.loop.now
        return await withUnsafeContinuation { inputWaiter = $0 }
    }

    // MARK: Output

    @inline(never) func write(
        _ response: HTTPResponse, method: HTTPMethod?, version: HTTPVersion = .http11, hint: Bool = false
    ) {
        if output.unsent == 0 { lastWrite = server.loop.now }
        output.append(
            response, isHead: method == .head, version: version, keepAlive: !closing,
            hint: hint ? server.keepAliveHint : [], date: server.date)
    }

    func flush() {
        server.loop.assertCurrent()
        while output.unsent > 0, !failed {
            switch output.withUnsentBytes({ transport.send($0) }) {
            case .transferred(let count):
                output.consume(count)
                lastWrite = server.loop.now
            case .wouldBlock: return
            case .endOfFile, .failed: failed = true
            }
        }
        output.reset(keepingCapacity: limits.idleBufferBytes)
    }

    private func waitForOutput() async -> Wait {
        assert(outputWaiter == nil, "two waits for output")
        return await withUnsafeContinuation { outputWaiter = $0 }
    }

    func drainOutput() async -> Wait {
        while true {
            flush()
            if failed { return .gone }
            if output.unsent == 0 { return .ready }
            let wait = await waitForOutput()
            guard wait == .ready else { return wait }
        }
    }

    // MARK: Events

    func ready(_ events: Readiness) {
        server.loop.assertCurrent()
        // While the rest of the input is discarded, a hang-up only means that it is the rest.
        if events.containsAny(.ended), !lingering {
            failed = true
            task?.cancel()
        }
        if events.contains(.peerClosed) { peerClosed = true }
        if transport.isSecure || events.containsAny(.ended, .writable) {
            // The edge is reported once, even while the task does something else.
            if outputWaiter == nil { flush() }
            resumeOutput(failed ? .gone : .ready)
        }
        if transport.isSecure || events.containsAny(.ended, .readable) || events.containsAny(.peerClosed) {
            readable = true
            resumeInput(failed ? .gone : .ready)
        }
    }

    /// Called at each tick of the loop.
    func checkDeadlines(at now: MonotonicTime) {
        server.loop.assertCurrent()
        if output.unsent > 0, lastWrite + limits.writeTime <= now {
            failed = true
            resumeOutput(.timedOut)
            resumeInput(.gone)
        }
        if min(inputDeadline, server.inputDeadline) <= now {
            resumeInput(.timedOut)
        } else if isIdle, waitingSince + Self.parkTime <= now {
            resumeInput(.idle)
        }
    }

    /// Ends the connection if it has had a response and is idle; else its current or first response is its last.
    func drain() {
        server.loop.assertCurrent()
        guard isParked || isIdle, requests > 0 else { return }
        // A request that is in the kernel already still gets its response.
        if case .transferred = receive() { return resumeInput(.ready) }
        resumeInput(.gone)
    }

    /// Ends the connection, even with a request in flight.
    func abort() {
        server.loop.assertCurrent()
        failed = true
        resumeInput(.gone)
        resumeOutput(.gone)
    }

    /// Whether the task waits for the first byte of a request, and for nothing else.
    private var isIdle: Bool {
        inputWaiter != nil && isOpened && !lingering && parser.phase == .idle && output.unsent == 0
    }

    /// A connection that is parked finds out itself what has happened.
    private func resumeInput(_ wait: Wait) {
        if isParked { return unpark() }
        inputWaiter?.resume(returning: wait)
        inputWaiter = nil
    }

    private func resumeOutput(_ wait: Wait) {
        outputWaiter?.resume(returning: wait)
        outputWaiter = nil
    }
}
