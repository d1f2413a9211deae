import Concurrency
import Dispatch

/// The slots for calls to a provider, shared out fairly: an account has at most a quarter of them at a time, and accounts
/// that wait take turns. May be used from any thread.
final class SlotQueue: Sendable {
    private struct Waiter {
        let number: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var inFlight = 0
        var inFlightOf: [Int64: Int] = [:]
        var waiting = 0
        var waitersOf: [Int64: [Waiter]] = [:]
        /// The accounts that wait, the next one first.
        var turns: [Int64] = []
        var lastNumber = 0
    }

    /// Requests that may wait in total, and for one account.
    static let maximumWaiting = 1_000
    static let maximumWaitingOfAccount = 50

    private let slots: Int
    private let share: Int
    private let state = Locked(State())
    private let timers = DispatchQueue(label: "lux.message.slots")

    /// - Parameter slots: calls in flight at a time, at least 1.
    init(slots: Int) {
        self.slots = slots
        share = max(1, slots / 4)
    }

    /// Calls in flight.
    var inFlight: Int { state.withLock { $0.inFlight } }

    /// Waits for a slot, which ``release(account:)`` has to return.
    ///
    /// - Returns: `false` when none became free by `deadline`, or too many wait already.
    func acquire(account: Int64, until deadline: MonotonicTime) async -> Bool {
        await withCheckedContinuation { continuation in
            let place = state.withLock { state -> (isGranted: Bool?, number: Int) in
                if state.inFlight < slots, state.inFlightOf[account, default: 0] < share,
                    state.waitersOf[account] == nil
                {
                    Self.take(account, &state)
                    return (true, 0)
                }
                let own = state.waitersOf[account, default: []]
                guard deadline > .now(), state.waiting < Self.maximumWaiting,
                    own.count < Self.maximumWaitingOfAccount
                else { return (false, 0) }
                state.lastNumber += 1
                state.waiting += 1
                if own.isEmpty { state.turns.append(account) }
                state.waitersOf[account] = own + [Waiter(number: state.lastNumber, continuation: continuation)]
                return (nil, state.lastNumber)
            }
            if let isGranted = place.isGranted { return continuation.resume(returning: isGranted) }
            let wait = max(0, (deadline - .now()).wholeNanoseconds)
            timers.asyncAfter(deadline: .now() + .nanoseconds(Int(wait))) { self.expire(account, place.number) }
        }
    }

    /// Returns a slot and passes it on.
    func release(account: Int64) {
        let next = state.withLock { state -> Waiter? in
            state.inFlight -= 1
            let left = state.inFlightOf[account, default: 0] - 1
            state.inFlightOf[account] = left > 0 ? left : nil
            guard
                let turn = state.turns.firstIndex(where: { state.inFlightOf[$0, default: 0] < share }),
                let waiter = state.waitersOf[state.turns[turn]]?.first
            else { return nil }
            let account = state.turns.remove(at: turn)
            Self.remove(waiter.number, of: account, &state)
            if state.waitersOf[account] != nil { state.turns.append(account) }
            Self.take(account, &state)
            return waiter
        }
        next?.continuation.resume(returning: true)
    }

    private func expire(_ account: Int64, _ number: Int) {
        let waiter = state.withLock { state -> Waiter? in
            guard let waiter = state.waitersOf[account]?.first(where: { $0.number == number }) else { return nil }
            Self.remove(number, of: account, &state)
            if state.waitersOf[account] == nil { state.turns.removeAll { $0 == account } }
            return waiter
        }
        waiter?.continuation.resume(returning: false)
    }

    private static func take(_ account: Int64, _ state: inout State) {
        state.inFlight += 1
        state.inFlightOf[account, default: 0] += 1
    }

    private static func remove(_ number: Int, of account: Int64, _ state: inout State) {
        state.waiting -= 1
        state.waitersOf[account]?.removeAll { $0.number == number }
        if state.waitersOf[account]?.isEmpty == true { state.waitersOf[account] = nil }
    }
}
