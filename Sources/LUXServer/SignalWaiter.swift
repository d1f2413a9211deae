import Dispatch
import Glibc

/// Waits for one of several signals. The one after that ends the process immediately, with 128 plus its number.
package final class SignalWaiter {
    private let first = DispatchSemaphore(value: 0)
    private let received: Received
    private let sources: [any DispatchSourceSignal]

    /// `@unchecked Sendable`: written on the sources' serial queue before the semaphore is signalled, read after it.
    private final class Received: @unchecked Sendable {
        var signal: Int32?
    }

    package init(_ signals: [Int32]) {
        let (first, received) = (first, Received())
        self.received = received
        let queue = DispatchQueue(label: "lux.signals")
        sources = signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                // Not exit(3): handlers of atexit would wait for a reader of the log.
                guard received.signal == nil else { _exit(128 + number) }
                received.signal = number
                first.signal()
            }
            source.resume()
            return source
        }
    }

    /// Blocks the calling thread until the first signal.
    package func wait() -> Int32 {
        first.wait()
        return received.signal ?? 0
    }
}
