import Concurrency
import Dispatch
import EventLoop
import Systemd

/// Reports to the service manager while every loop turns. When a loop hangs the reports stop, and the manager restarts the
/// process.
///
/// Owned by `Server.run`; its timer lives on a queue of its own.
package struct LoopWatchdog {
    private let timer: any DispatchSourceTimer

    /// Starts to report; `nil` when the manager does not ask for it.
    package init?(_ loops: [EventLoop], reportingTo manager: ServiceManager) {
        guard let interval = manager.watchdog else { return nil }
        let queue = DispatchQueue(label: "lux.watchdog")
        let waiting = Locked(0)
        timer = DispatchSource.makeTimerSource(queue: queue)
        // Twice in an interval, as sd_watchdog_enabled(3) recommends.
        timer.schedule(deadline: .now(), repeating: interval.inSeconds / 2)
        timer.setEventHandler { @Sendable in
            let isDue = waiting.withLock { waiting in
                guard waiting == 0 else { return false }
                waiting = loops.count
                return true
            }
            // Some loop has not turned since the last time.
            guard isDue else { return }
            for loop in loops {
                loop.execute {
                    let isLast = waiting.withLock { waiting in
                        waiting -= 1
                        return waiting == 0
                    }
                    if isLast { queue.async { manager.report(.alive) } }
                }
            }
        }
        timer.resume()
    }

    package func stop() {
        timer.cancel()
    }
}
