import Concurrency
import LUX

extension ProviderNotifier {
    /// The result of looking a message up. Reasons contain neither number nor key.
    package enum LookUp: Sendable, Equatable {
        /// Its outcome.
        case settled(MessageOutcome)
        /// The provider does not know yet.
        case waits(reason: String)
        /// It is not known, and a later look-up may not help.
        case open(reason: String)
        /// The provider requires a longer pause than a look-up waits for.
        case paused(reason: String)
    }

    /// Between two requests of look-ups; providers allow some hundred a second, which messages need too.
    static let lookUpInterval = Duration.milliseconds(100)
    /// Maximum `Retry-After` that a look-up waits for.
    private static let longestPause = Duration.seconds(60)
    private static let attemptsOfLookUp = 3
    /// A message that a provider does not list may be listed a little later.
    private static let listingDelay = Int64(180)

    /// Asks the provider for the outcome of a message: one request after the other, at the provider's pace.
    package func lookUp(_ message: SoughtMessage) async -> LookUp {
        var lookUp = provider.lookUp(message)
        while true {
            let step: LookUpStep
            switch await send(lookUp) {
            case .missing: return .open(reason: "the account's phone number is gone")
            case .failed(let reason): return .open(reason: clean("\(name): \(reason)", message.phoneNumber))
            case .busy(let status):
                return .paused(reason: "\(name): HTTP \(status), the provider requires a pause")
            case .reply(let reply): step = lookUp.read(reply, at: SendingAttempt.now().unixMilliseconds)
            }
            switch step {
            case .next: continue
            case .settled(let outcome): return .settled(scrubbed(outcome, message.phoneNumber))
            case .notFound where message.age(at: SendingAttempt.now().unixMilliseconds) < Self.listingDelay:
                return .waits(reason: "\(name): not listed yet")
            case .notFound: return .settled(.rejected(reason: "\(name): not found by look-up"))
            case .waits(let reason): return .waits(reason: clean(reason, message.phoneNumber))
            case .open(let reason): return .open(reason: clean(reason, message.phoneNumber))
            }
        }
    }

    private enum LookUpReply {
        case reply(ProviderReply)
        case missing
        case failed(String)
        case busy(Int)
    }

    /// Sends the next request of a look-up, and again after a pause while the provider is busy. A look-up changes nothing, so any may
    /// be retried.
    private func send(_ lookUp: any ProviderLookUp) async -> LookUpReply {
        var number = 1
        while true {
            guard let request = lookUp.request(attempt: .now()) else { return .missing }
            await awaitTurn()
            switch await exchange(request, .now() + limits.timeout) {
            case .notSent(let reason), .noResponse(let reason): return .failed(reason)
            case .reply(let reply):
                guard reply.status == 429 || reply.status == 503 else { return .reply(reply) }
                let pause = max(reply.retryAfter ?? .zero, .seconds(1 << (number - 1)))
                guard number < Self.attemptsOfLookUp, pause <= Self.longestPause else { return .busy(reply.status) }
                try? await Task.sleep(for: pause)
                number += 1
            }
        }
    }

    /// Waits until ``lookUpInterval`` after the latest request.
    func awaitTurn() async {
        let now = MonotonicTime.now()
        let turn = latestLookUp.withLock { latest -> MonotonicTime in
            let turn = latest.map { max(now, $0 + Self.lookUpInterval) } ?? now
            latest = turn
            return turn
        }
        if turn > now { try? await Task.sleep(for: turn - now) }
    }
}
