import Concurrency
import FoundationEssentials
import LUX

/// Sends through a provider, with everything that is the same for all of them: a deadline over all attempts, retries where they are
/// harmless, a limit of calls in flight, and a circuit breaker. Shared by all loops; errors are outcomes, so nothing throws.
package final class ProviderNotifier: AlimtalkNotifier {
    /// The configured limits of sending.
    package struct Limits: Sendable, Equatable {
        /// For all attempts of one message together.
        package var timeout: Duration
        /// Calls in flight; more wait for their turn.
        package var concurrency: Int

        package init(timeout: Duration = .seconds(5), concurrency: Int = 16) {
            self.timeout = timeout
            self.concurrency = concurrency
        }
    }

    private static let attempts = 3
    /// With less time left an attempt is not begun.
    private static let shortestAttempt = Duration.milliseconds(500)

    let provider: any AlimtalkProvider
    let limits: Limits
    let exchange: @Sendable (ProviderRequest, MonotonicTime) async -> ProviderExchange
    private let onCircuitChange: @Sendable (_ state: String) -> Void
    private let breaker = Locked(CircuitBreaker())
    private let slots: SlotQueue
    /// When the latest request of a look-up was sent.
    let latestLookUp = Locked<MonotonicTime?>(nil)

    /// A notifier that sends by HTTP or HTTPS.
    ///
    /// - Parameters:
    ///   - baseURL: scheme, host and port.
    ///   - roots: what a provider's certificate must come from.
    ///   - onCircuitChange: called with `open` or `closed`.
    package convenience init(
        provider: any AlimtalkProvider, baseURL: String, roots: TrustedRoots = TrustedRoots(), limits: Limits,
        onCircuitChange: @escaping @Sendable (_ state: String) -> Void = { _ in }
    ) {
        let client = HTTPSClient(baseURL: baseURL, roots: roots)
        self.init(
            provider: provider, limits: limits, exchange: { await client.exchange($0, deadline: $1) },
            onCircuitChange: onCircuitChange)
    }

    init(
        provider: any AlimtalkProvider, limits: Limits,
        exchange: @escaping @Sendable (ProviderRequest, MonotonicTime) async -> ProviderExchange,
        onCircuitChange: @escaping @Sendable (_ state: String) -> Void = { _ in }
    ) {
        self.provider = provider
        self.limits = limits
        self.exchange = exchange
        self.onCircuitChange = onCircuitChange
        slots = SlotQueue(slots: limits.concurrency)
    }

    /// The provider's name.
    package var name: String { type(of: provider).name }

    /// `closed`, `open` or `half_open`, for metrics.
    package var circuit: String { breaker.withLock { $0.state(at: .now()).rawValue } }

    /// Calls in flight, for metrics.
    package var inFlight: Int { slots.inFlight }

    /// Sends one message, in one attempt or a few.
    package func send(_ notification: AlimtalkMessage, deadline: MonotonicTime?) async -> MessageOutcome {
        // Not the provider's error, so the breaker does not count it. A call that is cut off immediately would be a message of unknown
        // outcome.
        if let deadline, deadline <= .now() + min(Self.shortestAttempt, limits.timeout / 4) {
            return .tryLater(reason: "\(name): no time left", isSafe: true)
        }
        let last = (deadline ?? .now() + limits.timeout) + (.zero - min(.seconds(2), limits.timeout / 2))
        guard await slots.acquire(account: notification.userID, until: last) else {
            return .tryLater(reason: "\(name): \(limits.concurrency) messages are in flight", isSafe: true)
        }
        defer { slots.release(account: notification.userID) }
        guard let pass = breaker.withLock({ $0.enter(at: .now()) }) else {
            return .tryLater(reason: "\(name): not called after repeated failures", isSafe: true)
        }
        let own = MonotonicTime.now() + limits.timeout
        // A task of its own: the caller's is cancelled when its client hangs up, and the message is sent all the same.
        let outcome = await Task { await attempt(notification, deadline: deadline.map { min($0, own) } ?? own) }.value
        leave(pass, outcome)
        return scrubbed(outcome, notification.phoneNumber)
    }

    // MARK: Circuit breaker

    private func leave(_ pass: CircuitBreaker.Pass, _ outcome: MessageOutcome) {
        let worked =
            switch outcome {
            case .accepted, .rejected, .misconfigured: true
            case .tryLater, .unknown: false
            }
        let change = breaker.withLock { breaker -> CircuitBreaker.State? in
            let now = MonotonicTime.now()
            let before = breaker.state(at: now)
            breaker.leave(pass, worked: worked, at: now)
            let after = breaker.state(at: now)
            return before == after ? nil : after
        }
        if let change { onCircuitChange(change.rawValue) }
    }

    // MARK: Attempts

    private func attempt(_ notification: AlimtalkMessage, deadline: MonotonicTime) async -> MessageOutcome {
        var mayHaveArrived = false
        var number = 1
        while true {
            // A signature contains its time and is valid once, so each attempt has its own.
            let request = provider.request(for: notification, attempt: .now())
            let exchange = await exchange(request, deadline)
            let outcome = judge(exchange)
            if case .accepted = outcome { return outcome }
            if outcome.mayHaveArrived { mayHaveArrived = true }
            let shortest = Duration.milliseconds(Int.random(in: 100...200) << (number - 1))
            let pause = max(exchange.retryAfter ?? .zero, shortest)
            guard canRetry(outcome, exchange), number < Self.attempts,
                MonotonicTime.now() + pause + Self.shortestAttempt < deadline
            else {
                // A later attempt does not undo an earlier one that may have arrived.
                return mayHaveArrived && !outcome.mayHaveArrived ? .unknown(reason: outcome.reason ?? "") : outcome
            }
            try? await Task.sleep(for: pause)
            number += 1
        }
    }

    private func judge(_ exchange: ProviderExchange) -> MessageOutcome {
        switch exchange {
        case .reply(let reply): provider.outcome(of: reply)
        case .notSent(let reason): .tryLater(reason: "\(name): \(reason)", isSafe: true)
        case .noResponse(let reason): CodeRule.Kind.unknown.outcome("\(name): \(reason)", advice: .lookUp)
        }
    }

    /// Whether another attempt cannot become a second message: this one reached nobody, or the provider rejects repeats.
    private func canRetry(_ outcome: MessageOutcome, _ exchange: ProviderExchange) -> Bool {
        switch outcome {
        case .accepted, .rejected, .misconfigured: false
        case .tryLater(_, let isSafe, let isSoon): isSoon && (isSafe || provider.rejectsRepeats)
        case .unknown:
            switch exchange {
            // A retry cannot clarify a reply of success, or one that the key is known.
            case .reply(let reply): provider.rejectsRepeats && reply.status >= 500
            case .notSent, .noResponse: provider.rejectsRepeats
            }
        }
    }

    /// Removes number and keys from reasons and ids, which become part of rows and logs, in case a provider's reply contains them.
    func scrubbed(_ outcome: MessageOutcome, _ phoneNumber: PhoneNumber?) -> MessageOutcome {
        func clean(_ text: String) -> String { self.clean(text, phoneNumber) }
        return switch outcome {
        case .accepted(let id): .accepted(messageID: id.map(clean))
        case .rejected(let reason): .rejected(reason: clean(reason))
        case .misconfigured(let reason): .misconfigured(reason: clean(reason))
        case .tryLater(let reason, let isSafe, let isSoon):
            .tryLater(reason: clean(reason), isSafe: isSafe, isSoon: isSoon)
        case .unknown(let reason): .unknown(reason: clean(reason))
        }
    }

    func clean(_ text: String, _ phoneNumber: PhoneNumber?) -> String {
        let text = ProviderRequest.masked(text, hiding: provider.secrets)
        // In any spelling, so without country code and prefix (010).
        guard let number = phoneNumber?.domestic.dropFirst(3), text.filter(\.isNumber).contains(number) else {
            return String(text.prefix(Self.longestReason))
        }
        return String(text.map { $0.isNumber ? "*" : $0 }.prefix(Self.longestReason))
    }

    private static let longestReason = 300
}

extension SendingAttempt {
    package static func now() -> SendingAttempt {
        let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        // The system's generator, which is cryptographically secure.
        return SendingAttempt(
            unixMilliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)),
            salt: String((0..<32).map { _ in characters[Int.random(in: 0..<characters.count)] }))
    }
}
