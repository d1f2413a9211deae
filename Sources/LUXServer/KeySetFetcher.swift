import Concurrency
import Dispatch
import JWT
import LUXSettings
import Logging

/// Fetches the verifier's keys from `LUX_JWT_JWKS_URL`: at the start, every five minutes, soon after a token named an unknown
/// key, and on request. The previous keys stay while that fails.
///
/// Owned by `Server.run`; fetches run on a queue of its own, never on a loop. ``keyWasUnknown()`` may be called from any
/// thread and does not wait.
///
/// `@unchecked Sendable`: the timer is only cancelled, from the thread that owns the server; all else is immutable or locked.
package final class KeySetFetcher: @unchecked Sendable {
    /// Interval between two checks of the schedule.
    private static let interval = DispatchTimeInterval.milliseconds(500)

    private struct State {
        var schedule: FetchSchedule
        /// The body of the last set that was accepted.
        var accepted: [UInt8] = []
        /// Why the last fetch failed, which is reported once.
        var failure: String?
    }

    private let source: KeySetSource
    private let verifier: Locked<JWTVerifier>
    private let logger: Logger
    private let state: Locked<State>
    private let queue = DispatchQueue(label: "lux.jwks")
    private let timer: any DispatchSourceTimer

    /// Begins with the first fetch.
    package init(_ source: KeySetSource, verifier: Locked<JWTVerifier>, logger: Logger) {
        self.source = source
        self.verifier = verifier
        self.logger = logger
        state = Locked(State(schedule: FetchSchedule(now: .now())))
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now(), repeating: Self.interval)
        timer.setEventHandler { @Sendable [weak self] in
            guard let self, state.withLock({ $0.schedule.isDue(now: .now()) }) else { return }
            fetch()
        }
        timer.resume()
    }

    package func stop() {
        timer.cancel()
    }

    /// Fetches now, and blocks until that is done.
    package func reload() {
        queue.sync { fetch() }
    }

    package func keyWasUnknown() {
        state.withLock { $0.schedule.keyWasUnknown(now: .now()) }
    }

    private func fetch() {
        dispatchPrecondition(condition: .onQueue(queue))
        do throws(TokenKeyError) {
            let body = try source.fetch()
            let isNew = state.withLock { $0.accepted != body }
            if isNew {
                let keys = try KeySetSource.keys(body) {
                    logger.log(.warning, "a key of the JWKS is not used", [.cause: "\($0)"])
                }
                verifier.withLock { $0.keys = keys }
                logger.log(.info, "token keys loaded", [.count: .stringConvertible(keys.count)])
            }
            state.withLock { state in
                state.accepted = body
                state.failure = nil
                state.schedule.succeeded(now: .now(), changed: isNew)
            }
        } catch {
            let isNew = state.withLock { state in
                state.schedule.failed(now: .now())
                defer { state.failure = error.description }
                return state.failure != error.description
            }
            if isNew {
                logger.log(.error, "cannot reload token keys; keeping the previous ones", [.cause: "\(error)"])
            }
        }
    }
}
