import Concurrency

/// Stops an account from guessing the codes of devices: after 20 misses within ten minutes it is rejected for the rest of them.
///
/// One for the process, shared by all loops; may be used from any thread. Attempts in flight count as misses until they
/// end, so that parallel guesses gain nothing.
package final class GuessLimiter: Sendable {
    /// Misses of one account within ``window`` before it is rejected.
    static let maximumMisses = 20
    /// The period in which misses are counted.
    static let window = Duration.seconds(600)

    private struct Account {
        /// At most ``maximumMisses``, oldest first.
        var misses: [MonotonicTime] = []
        var inFlight = 0
    }

    private struct State {
        var accounts: [Int64: Account] = [:]
        /// With this many accounts, those without a recent miss are removed before another is added.
        var sweepAt = 10_000
    }

    private let state = Locked(State())

    package init() {}

    /// Begins an attempt, which ``end(account:missed:at:)`` has to end if it was admitted.
    ///
    /// - Returns: `nil` when it is admitted, else the seconds until it would be, at least 1.
    func begin(account: Int64, at now: MonotonicTime) -> Int? {
        state.withLock { state in
            if state.accounts[account] == nil, state.accounts.count >= state.sweepAt {
                state.accounts = state.accounts.filter {
                    $0.value.inFlight > 0 || Self.isRecent($0.value.misses.last, at: now)
                }
                state.sweepAt = max(10_000, state.accounts.count * 2)
            }
            var entry = state.accounts[account] ?? Account()
            entry.misses.removeAll { !Self.isRecent($0, at: now) }
            let isAdmitted = entry.misses.count + entry.inFlight < Self.maximumMisses
            if isAdmitted { entry.inFlight += 1 }
            state.accounts[account] = entry
            guard !isAdmitted else { return nil }
            guard entry.misses.count == Self.maximumMisses, let oldest = entry.misses.first else { return 1 }
            return max(1, Int(((oldest + Self.window) - now).inSeconds.rounded(.up)))
        }
    }

    /// Ends an admitted attempt.
    ///
    /// - Parameter missed: whether its response was 404.
    func end(account: Int64, missed: Bool, at now: MonotonicTime) {
        state.withLock { state in
            guard var entry = state.accounts[account] else { return }
            entry.inFlight -= 1
            if missed { entry.misses.append(now) }
            state.accounts[account] = entry.inFlight == 0 && entry.misses.isEmpty ? nil : entry
        }
    }

    private static func isRecent(_ miss: MonotonicTime?, at now: MonotonicTime) -> Bool {
        miss.map { $0 + window > now } ?? false
    }
}
