import CLibPQ
import Dispatch
import Concurrency

/// Sends the cancel requests of a pool from a thread of its own: `PQcancel` opens a connection and blocks, for minutes when
/// the server does not respond at all.
final class CancelQueue: Sendable {
    /// Maximum pending requests; more are dropped, as the session is closed anyway and its `statement_timeout` ends the statement.
    private static let bound = 16

    private let queue = DispatchQueue(label: "postgres.cancel")
    private let waiting = Locked(0)

    /// A `PGcancel` that is passed to another thread.
    ///
    /// `@unchecked Sendable`: libpq documents `PQcancel` as safe from any thread; the object is used once and freed there.
    private struct Request: @unchecked Sendable {
        let pointer: OpaquePointer

        func send() {
            var message = [CChar](repeating: 0, count: 256)
            PQcancel(pointer, &message, Int32(message.count))
            PQfreeCancel(pointer)
        }
    }

    /// Requests the cancellation of the current statement of a session.
    func cancel(_ pg: OpaquePointer) {
        let isFull = waiting.withLock { count in
            guard count < Self.bound else { return true }
            count += 1
            return false
        }
        guard !isFull, let pointer = PQgetCancel(pg) else { return }
        let request = Request(pointer: pointer)
        queue.async { [waiting] in
            request.send()
            waiting.withLock { $0 -= 1 }
        }
    }
}
