import Concurrency

/// Stops calls to a provider that does not work: after failures in a row none is let through for a while, then one tries whether it
/// works again. A value; its owner guards it.
struct CircuitBreaker {
    /// A metric of the notifier.
    enum State: String, Sendable { case closed, open, halfOpen = "half_open" }

    /// The kind of a call that is let through.
    enum Pass { case usual, probe }

    /// Failures in a row that open it.
    static let tolerated = 5
    private static let shortestPause = Duration.seconds(5)
    private static let longestPause = Duration.seconds(60)

    private var failures = 0
    private var pause = Self.shortestPause
    private var opensUntil: MonotonicTime?
    private var probing = false

    func state(at now: MonotonicTime) -> State {
        guard let opensUntil else { return .closed }
        return now < opensUntil ? .open : .halfOpen
    }

    /// Lets a call through, or returns `nil`.
    mutating func enter(at now: MonotonicTime) -> Pass? {
        switch state(at: now) {
        case .closed: return .usual
        case .open: return nil
        case .halfOpen:
            if probing { return nil }
            probing = true
            return .probe
        }
    }

    /// Records the end of a call that was let through.
    mutating func leave(_ pass: Pass, worked: Bool, at now: MonotonicTime) {
        switch (pass, worked) {
        case (.probe, true):
            self = CircuitBreaker()
        case (.usual, true) where opensUntil == nil:
            failures = 0
        case (.probe, false):
            probing = false
            pause = min(pause * 2, Self.longestPause)
            opensUntil = now + pause
        case (.usual, false) where opensUntil == nil:
            failures += 1
            if failures >= Self.tolerated { opensUntil = now + pause }
        // A call from before it opened changes nothing.
        case (.usual, _): break
        }
    }
}
