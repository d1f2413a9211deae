import Concurrency
import Dispatch
import Synchronization

/// Whether the database can be reached, from the observations of all pools of the process. Used from any thread.
///
/// It is known to be unavailable when two attempts to open a connection fail while none is open, or when a session has been silent
/// for half a second, the server does not respond to a probe within 1.3 seconds, and nothing was received from it in the meantime.
/// It is available again when a connection has been opened. In between, requests fail without waiting.
package final class DatabaseAvailability: Sendable {
    /// An event for the operator.
    package enum Event: Sendable {
        /// An outage has begun.
        case lost(PostgresError)
        /// An outage continues; its duration so far. Reported once a minute.
        case stillUnavailable(PostgresError, Duration)
        /// An outage has ended; its duration.
        case recovered(Duration)
        /// Connections were lost and reopened without an outage; their number. Reported at most every ten seconds.
        case reconnected(lost: Int, PostgresError)
        /// Some connections cannot be opened while others are open. Reported after five seconds, then once a minute.
        case incomplete(PostgresError)
    }

    private struct Outage {
        var since: MonotonicTime
        var reportedAt: MonotonicTime
    }

    private struct State {
        var open = 0
        var outage: Outage?
        /// Attempts to connect that failed since the last one that succeeded. A session may be ended while it is being established, so
        /// one failure alone means little.
        var failures = 0
        var lost: (count: Int, reason: PostgresError)?
        var reconnectedAt = MonotonicTime(nanoseconds: .min)
        /// The time since which connections cannot be opened while others are open, and the time of the last report.
        var incompleteSince: MonotonicTime?
        var incompleteReportedAt = MonotonicTime(nanoseconds: .min)
        /// The server of the last opened connection.
        var address: SessionAddress?
        var isProbing = false
        var nextProbe = MonotonicTime(nanoseconds: .min)
    }

    /// Period without an expected byte after which a session is suspected to be dead.
    static let suspicion = Duration.milliseconds(500)
    private static let probeLimit = Duration.milliseconds(1_300)
    /// Connections of a server that is stopping end one after another.
    private static let incompleteDelay = Duration.seconds(5)
    private static let minute = Duration.seconds(60)
    private static let reconnectInterval = Duration.seconds(10)

    private let state = Locked(State())
    private let unavailable = Atomic(false)
    /// When a byte was last received from the server, in nanoseconds of the monotonic clock.
    private let lastHeard = Atomic<Int64>(.min)
    private let probes = DispatchQueue(label: "postgres.probe")
    private let onEvent: @Sendable (Event) -> Void

    /// - Parameter onEvent: called on any thread.
    package init(onEvent: @escaping @Sendable (Event) -> Void = { _ in }) {
        self.onEvent = onEvent
    }

    /// Whether the database is known to be unavailable.
    package var isUnavailable: Bool { unavailable.load(ordering: .relaxed) }

    // MARK: Connections

    /// Called when a connection was opened.
    func opened(to address: SessionAddress?, at now: MonotonicTime = .now()) {
        let events: [Event] = state.withLock { state in
            state.open += 1
            state.address = address ?? state.address
            state.incompleteSince = nil
            state.failures = 0
            if let outage = state.outage {
                state.outage = nil
                state.lost = nil
                unavailable.store(false, ordering: .relaxed)
                return [.recovered(now - outage.since)]
            }
            guard let lost = state.lost, state.reconnectedAt.isOlder(than: Self.reconnectInterval, at: now) else {
                return []
            }
            state.lost = nil
            state.reconnectedAt = now
            return [.reconnected(lost: lost.count, lost.reason)]
        }
        events.forEach(onEvent)
    }

    /// Called when an open connection has ended.
    ///
    /// - Parameter reason: `nil` when it was closed on purpose.
    func closed(_ reason: PostgresError?) {
        state.withLock { state in
            state.open -= 1
            assert(state.open >= 0)
            if let reason { state.lost = ((state.lost?.count ?? 0) + 1, reason) }
        }
    }

    /// Called when a connection could not be opened.
    package func connectFailed(_ error: PostgresError, at now: MonotonicTime = .now()) {
        let event: Event? = state.withLock { state in
            if let outage = state.outage {
                guard outage.reportedAt.isOlder(than: Self.minute, at: now) else { return nil }
                state.outage?.reportedAt = now
                return .stillUnavailable(error, now - outage.since)
            }
            state.failures += 1
            if state.open == 0 {
                guard state.failures > 1 else { return nil }
                return begin(&state, error, at: now)
            }
            let since = state.incompleteSince ?? now
            state.incompleteSince = since
            guard now - since >= Self.incompleteDelay,
                state.incompleteReportedAt.isOlder(than: Self.minute, at: now)
            else { return nil }
            state.incompleteReportedAt = now
            return .incomplete(error)
        }
        if let event { onEvent(event) }
    }

    private func begin(_ state: inout State, _ error: PostgresError, at now: MonotonicTime) -> Event {
        state.outage = Outage(since: now, reportedAt: now)
        state.incompleteSince = nil
        unavailable.store(true, ordering: .relaxed)
        return .lost(error)
    }

    // MARK: Silence

    /// Called when bytes were received.
    func heard(at now: MonotonicTime) {
        lastHeard.store(now.nanoseconds, ordering: .relaxed)
    }

    /// Called while a session owes a result, or is being opened, and the server has been silent for ``suspicion``: finds out
    /// whether the server lives.
    func suspect(at now: MonotonicTime) {
        let address: SessionAddress? = state.withLock { state in
            guard !state.isProbing, state.outage == nil, state.nextProbe <= now, let address = state.address else {
                return nil
            }
            state.isProbing = true
            return address
        }
        guard let address else { return }
        probes.async {
            let isAlive = ServerProbe.responds(address, within: Self.probeLimit)
            self.probed(isAlive, since: now)
        }
    }

    private func probed(_ isAlive: Bool, since start: MonotonicTime) {
        let now = MonotonicTime.now()
        let wasHeard = lastHeard.load(ordering: .relaxed) >= start.nanoseconds
        let event: Event? = state.withLock { state in
            state.isProbing = false
            state.nextProbe = now + Self.suspicion
            guard !isAlive, !wasHeard, state.outage == nil else { return nil }
            let message = "the server has stopped responding"
            return begin(&state, PostgresError(kind: .connection, message: message), at: now)
        }
        if let event { onEvent(event) }
    }
}

extension MonotonicTime {
    fileprivate func isOlder(than duration: Duration, at now: MonotonicTime) -> Bool {
        nanoseconds == .min || now - self >= duration
    }
}
