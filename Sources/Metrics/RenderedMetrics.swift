import Concurrency

/// The text of the metrics. Rendering it is expensive, and a client that scrapes all the time must not keep the
/// loops busy with it: a burst of scrapes is rendered, then a hundred a second, and the others get the latest text,
/// which is at most 10 ms old. May be used from any thread.
package final class RenderedMetrics: Sendable {
    /// Scrapes that are rendered however fast they follow each other.
    package static let burst = 200.0
    /// After a burst, texts that are rendered in a second.
    package static let rate = 100.0

    private struct State {
        var allowance = RenderedMetrics.burst
        var time: MonotonicTime?
        var latest: MetricsText?
        /// How many renderings were begun, and which of them is ``latest``.
        var begun = 0
        var latestNumber = 0
    }

    private let state = Locked(State())

    package init() {}

    /// - Parameter render: writes the text; called on this thread, outside the lock.
    package func text(at now: MonotonicTime = .now(), render: () -> MetricsText) -> MetricsText {
        let (latest, number) = state.withLock { state -> (MetricsText?, Int) in
            if let time = state.time, time < now {
                state.allowance = min(Self.burst, state.allowance + (now - time).inSeconds * Self.rate)
            }
            state.time = now
            if let latest = state.latest, state.allowance < 1 { return (latest, 0) }
            state.allowance -= 1
            state.begun += 1
            return (nil, state.begun)
        }
        if let latest { return latest }
        let text = render()
        state.withLock { state in
            // Of two at the same time the later one: no counter may fall.
            guard number > state.latestNumber else { return }
            (state.latest, state.latestNumber) = (text, number)
        }
        return text
    }
}
