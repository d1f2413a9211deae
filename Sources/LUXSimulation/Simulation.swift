import Concurrency
import DequeModule
import Dispatch
import EventLoop
import Glibc
import HeapModule
import JWT
import Synchronization

/// How large and how fast a simulated evening is.
package struct SimulationOptions: Sendable {
    package var devices = 1_000
    /// Length of the evening in simulated minutes.
    package var minutes = 60.0
    /// Simulated seconds in one second.
    package var speed = 60.0
    package var seed: UInt64 = 1
    /// Open connections at most.
    package var connections = 2_000
    /// Seconds that a phone waits for a response.
    package var timeout = 10.0
    /// Seconds for which uploads are retried after the evening.
    package var drain = 60.0
    /// Whether some phones lose the network under an upload.
    package var breaksNetwork = true
    /// Whether phones wake at an even rate, without a peak.
    package var isFlat = false

    package init() {}
}

/// Phones that use the app for an evening, each by its script.
///
/// Owned by ``run()``'s caller. `@unchecked Sendable`: all mutable state is confined to the loop's thread until the loop has stopped.
package final class Simulation: @unchecked Sendable {
    private let options: SimulationOptions
    private let servers: [ServerAddress]
    private let signer: JWTSigner
    private let loop: EventLoop
    private let finished = DispatchSemaphore(value: 0)
    /// The evening begins at this second since 1970 by a clock that is right.
    private let epoch: Int64

    package private(set) var figures = SimulationFigures()
    /// For each device, what was acknowledged.
    package private(set) var acknowledged: [AcknowledgedLogs]

    private var wakes: [(part: Double, number: Int)]
    private var woken = 0
    private var started = MonotonicTime.now()
    /// When the last phone woke, or now.
    private var allWoken = MonotonicTime.now()
    private let isStopped = Atomic(false)
    private var lastUpload = MonotonicTime.now()
    private var due = Heap<DueStep>()
    /// Uses that wait for one of the connections.
    private var waiting = Deque<PhoneUse>()
    private var open = 0
    private var timeouts = Deque<(at: MonotonicTime, connection: PhoneConnection, generation: Int)>()
    private var nextLine = MonotonicTime.now()
    private var lastRequests: UInt64 = 0

    /// - Throws: `EventLoopError`.
    package init(
        _ options: SimulationOptions, servers: [ServerAddress], signer: JWTSigner, epoch: Int64
    ) throws(EventLoopError) {
        self.options = options
        self.servers = servers
        self.signer = signer
        self.epoch = epoch
        loop = try EventLoop(label: "simulation")
        acknowledged = Array(repeating: AcknowledgedLogs(), count: options.devices)
        wakes = (0..<options.devices).map { number in
            let part =
                options.isFlat
                ? Double(number) / Double(options.devices) : PhoneProfile(seed: options.seed, number: number).wake
            return (part, number)
        }
        wakes.sort { $0.part < $1.part }
    }

    /// Simulates the evening. Blocks until the last use has ended or the time to drain is over.
    package func run() {
        started = .now()
        (allWoken, lastUpload) = (started, started)
        nextLine = started + .seconds(1)
        loop.onTurnEnd { [unowned self] in turn() }
        loop.onTick { [unowned self] in tick() }
        loop.start()
        finished.wait()
    }

    /// No more phones wake. May be called from any thread.
    package func stop() {
        isStopped.store(true, ordering: .relaxed)
    }

    private func real(_ simulatedSeconds: Double) -> Duration {
        .nanoseconds(Int64(simulatedSeconds / options.speed * 1e9))
    }

    // MARK: The loop

    private func turn() {
        let now = MonotonicTime.now()
        while woken < wakes.count, started + real(wakes[woken].part * options.minutes * 60) <= now {
            wake(wakes[woken].number, at: started + real(wakes[woken].part * options.minutes * 60))
            woken += 1
        }
        while let next = due.min, next.time <= now {
            due.removeMin()
            switch next.action {
            case .send: send(next.use)
            case .abort(let connection, let generation):
                let isInFlight = connection.isWaiting && connection.generation == generation
                if isInFlight, next.use.connection === connection { lose(next.use) }
            }
        }
        // As many as there were: without a descriptor for another connection, those that wait come back.
        for _ in 0..<waiting.count where open < options.connections {
            if let use = waiting.popFirst() { send(use) }
        }
    }

    private func tick() {
        let now = MonotonicTime.now()
        while let first = timeouts.first, first.at <= now {
            timeouts.removeFirst()
            if first.connection.generation == first.generation { first.connection.expire() }
        }
        if now >= nextLine {
            nextLine = now + .seconds(1)
            printLine(now)
        }
        // The phones that are in use end as they would.
        if isStopped.load(ordering: .relaxed) { wakes.removeLast(wakes.count - woken) }
        let isOver = woken == wakes.count && figures.ended == figures.begun
        if isOver || woken < wakes.count { allWoken = now }
        let end = allWoken + real(2_000) + .nanoseconds(Int64(options.drain * 1e9))
        guard isOver || now >= end else { return }
        figures.seconds = (now - started).inSeconds
        loop.stop()
        finished.signal()
    }

    private func printLine(_ now: MonotonicTime) {
        let seconds = (now - started).inSeconds
        let requests = figures.requests
        let text =
            "minute \(SimulationFigures.decimal(seconds * options.speed / 60, places: 1)): \(requests - lastRequests) requests/s, "
            + "\(figures.begun - figures.ended) phones in use, \(open) connections, \(waiting.count) wait, "
            + "\(figures.failures) failed, \(figures.retries) retries\n"
        lastRequests = requests
        _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    // MARK: Uses

    private func wake(_ number: Int, at time: MonotonicTime) {
        let profile = PhoneProfile(seed: options.seed, number: number)
        let clock = epoch + Int64(profile.wake * options.minutes * 60) + profile.clockError
        figures.begun += 1
        send(PhoneUse(PhoneRequest(number: number), profile, PhoneScript(profile, wake: clock), woken: time))
    }

    private func send(_ use: PhoneUse) {
        guard let step = use.step else { return end(use) }
        let now = MonotonicTime.now()
        guard let connection = connection(for: use) else { return }
        if use.token == nil || now - use.tokenAt > min(real(900), .seconds(890)) { renewToken(use, now) }
        if use.parts == nil {
            use.parts = use.request.parts(of: step, zone: use.profile.zone)
            acknowledged[use.request.number].begin(step)
        }
        guard let parts = use.parts else { return }
        if use.attempts == 0 { figures.latest = max(figures.latest, (now - use.due).inSeconds) }
        use.sentAt = now
        connection.send(PhoneRequest.bytes(parts, token: use.token))
        let timeout = now + .nanoseconds(Int64(options.timeout * 1e9))
        timeouts.append((timeout, connection, connection.generation))
        if options.breaksNetwork, use.losesNetwork() {
            let time = now + .milliseconds(Int.random(in: 0...20))
            due.insert(DueStep(time: time, use: use, action: .abort(connection, generation: connection.generation)))
        }
    }

    /// The connection of a use; `nil` when it has to wait for one.
    private func connection(for use: PhoneUse) -> PhoneConnection? {
        if let connection = use.connection, connection.isOpen { return connection }
        drop(use)
        guard open < options.connections,
            let connection = PhoneConnection(
                servers[figures.connections % servers.count], source: use.request.number, loop: loop)
        else {
            waiting.append(use)
            return nil
        }
        open += 1
        figures.connections += 1
        use.connection = connection
        // The cycle ends with `close()`; until then nothing else keeps a use whose request is in flight.
        connection.finished = { [unowned self] _, outcome in finish(use, outcome) }
        return connection
    }

    private func renewToken(_ use: PhoneUse, _ now: MonotonicTime) {
        if use.token == nil { figures.tokens += 1 } else { figures.renewals += 1 }
        use.tokenAt = now
        use.token = try? signer.sign(claims: #"{"sub":"\#(use.request.user)","exp":\#(time(nil) + 1_200)}"#)
    }

    private func lose(_ use: PhoneUse) {
        use.connection?.abort()
        finish(use, .failed)
    }

    private func finish(_ use: PhoneUse, _ outcome: PhoneOutcome) {
        guard let step = use.step else { return }
        if outcome == .stale {
            figures.stale += 1
            return retry(use, after: .zero)
        }
        var status = 0
        if case .response(let number) = outcome { status = number }
        if outcome == .timeout { figures.timeouts += 1 }
        let microseconds = (MonotonicTime.now() - use.sentAt).wholeNanoseconds / 1_000
        figures.observe(PhoneRequest.endpoint(of: step), status: status, microseconds: microseconds)
        switch status {
        case 200: proceed(use, step)
        case 401 where use.attempts == 0:
            use.token = nil
            retry(use, after: .zero)
        case 0, 408, 429, 500...599:
            let seconds = min(5, 0.25 * Double(1 << min(use.attempts, 5)))
            retry(use, after: .nanoseconds(Int64(seconds * Double.random(in: 0.5...1) * 1e9)))
        default:
            if figures.unexpected.count < 10 {
                figures.unexpected.append(
                    "\(PhoneRequest.endpoint(of: step).rawValue): \(status), device \(use.request.number)")
            }
            figures.abandoned += 1
            end(use)
        }
    }

    private func retry(_ use: PhoneUse, after delay: Duration) {
        if delay > .zero {
            use.attempts += 1
            figures.retries += 1
        }
        due.insert(DueStep(time: .now() + delay, use: use, action: .send))
    }

    private func proceed(_ use: PhoneUse, _ step: PhoneStep) {
        acknowledged[use.request.number].acknowledge(step)
        if case .upload = step { noteUpload() }
        use.place += 1
        use.parts = nil
        use.attempts = 0
        guard use.place < use.script.steps.count else { return end(use) }
        let now = MonotonicTime.now()
        use.due = max(now, use.woken + real(use.script.steps[use.place].seconds))
        // A phone between two uploads has no connection; others may use it.
        if use.due - now > .seconds(1) || !waiting.isEmpty { drop(use) }
        due.insert(DueStep(time: use.due, use: use, action: .send))
    }

    private func noteUpload() {
        let now = MonotonicTime.now()
        let gap = (now - lastUpload).inSeconds
        if gap >= 1 { figures.gaps.append((at: (lastUpload - started).inSeconds, seconds: gap)) }
        lastUpload = now
    }

    private func drop(_ use: PhoneUse) {
        guard let connection = use.connection else { return }
        connection.close()
        use.connection = nil
        open -= 1
    }

    private func end(_ use: PhoneUse) {
        drop(use)
        figures.ended += 1
    }
}
