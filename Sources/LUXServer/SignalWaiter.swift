import Dispatch
import Glibc

/// Waits for one of several signals on the calling thread.
package struct SignalWaiter {
    private let semaphore = DispatchSemaphore(value: 0)
    private let sources: [any DispatchSourceSignal]
    private let received = Received()

    /// Written by one handler before the semaphore is raised, read behind it.
    private final class Received: @unchecked Sendable {
        package var signal: Int32 = 0
    }

    package init(_ signals: [Int32]) {
        let (semaphore, received) = (semaphore, received)
        sources = signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                received.signal = number
                semaphore.signal()
            }
            source.resume()
            return source
        }
    }

    package func wait() -> Int32 {
        semaphore.wait()
        return received.signal
    }
}
