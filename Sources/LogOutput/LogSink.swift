import Dispatch
import Glibc

/// Writes lines to a descriptor from a thread of its own, so that no caller waits for the reader. Never throws.
///
/// Unwritten lines are bounded: when the reader stalls, lines are dropped and counted, and once there is room again a line of
/// the sink's own reports how many. A descriptor that fails (a closed pipe, a full disk) costs the lines that it did not
/// take and nothing else. A process that crashes or is killed loses the lines of its last ``linger``.
///
/// A sink and its thread live as long as the process. `@unchecked Sendable`: the state is accessed under the mutex only. That is
/// a `pthread_mutex_t`, as ThreadSanitizer sees it.
package final class LogSink: @unchecked Sendable {
    /// How long the thread collects lines before it writes: under load it wakes up once per this time.
    package static let linger = Duration.milliseconds(5)
    /// The most bytes of one write(2).
    private static let pieceSize = 65_536
    private static let lineFeed = UInt8(ascii: "\n")

    private struct State {
        /// Whole lines, in the order in which they came.
        var waiting: [UInt8] = []
        /// Bytes that the thread has taken and not written yet.
        var inFlight = 0
        var dropped: UInt64 = 0
        /// Dropped lines that were not reported yet.
        var unreported: UInt64 = 0
        /// The thread waits for a line.
        var isAsleep = false
        /// A caller waits for everything to be written: no lingering.
        var isUrgent = false

        var isWritten: Bool { waiting.isEmpty && inFlight == 0 }
    }

    private let descriptor: Int32
    private let limit: Int
    private let notice: @Sendable (_ dropped: UInt64) -> [UInt8]
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let written = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// By pointer: an access to a stored property of a class lasts, for the sanitizer, until after the unlock.
    private let state = UnsafeMutablePointer<State>.allocate(capacity: 1)

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - descriptor: where lines go; it is never closed, and its flags stay as they are.
    ///   - limit: how many bytes may wait to be written.
    ///   - notice: creates the line, with its line feed, that reports dropped ones. Called on the sink's thread.
    package init(descriptor: Int32, limit: Int = 4_194_304, notice: @escaping @Sendable (_ dropped: UInt64) -> [UInt8])
    {
        self.descriptor = descriptor
        self.limit = limit
        self.notice = notice
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        state.initialize(to: State())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        for condition in [changed, written] {
            condition.initialize(to: pthread_cond_t())
            pthread_cond_init(condition, &attributes)
        }
        pthread_condattr_destroy(&attributes)
        DispatchQueue(label: "log").async { self.run() }
    }

    /// How many lines were dropped so far.
    package var droppedLines: UInt64 { withLock { $0.dropped } }

    /// Appends a line, its line feed included; never waits for the descriptor.
    package func append(_ line: [UInt8]) {
        let wakes = withLock { state in
            guard state.waiting.count + state.inFlight + line.count <= limit else {
                state.dropped += 1
                state.unreported += 1
                return false
            }
            state.waiting.append(contentsOf: line)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if wakes { pthread_cond_signal(changed) }
    }

    /// Waits until every line appended so far is written, but no longer than `limit`.
    ///
    /// - Returns: whether it is.
    @discardableResult
    package func flush(within limit: Duration) -> Bool {
        var deadline = Self.time(after: limit)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        state.pointee.isUrgent = true
        pthread_cond_signal(changed)
        while !state.pointee.isWritten {
            if pthread_cond_timedwait(written, mutex, &deadline) == ETIMEDOUT { return state.pointee.isWritten }
        }
        return true
    }

    private func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state.pointee)
    }

    // MARK: The thread

    private func run() {
        // A closed pipe is an error of write(2) here, whatever the process does with the signal.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        var batch: [UInt8] = []
        var isTorn = false
        while true {
            let unreported = take(&batch)
            let lines = isTorn ? 1..<batch.count + 1 : 0..<batch.count
            // Ends the line that a failed write has left incomplete.
            if isTorn { batch.insert(Self.lineFeed, at: 0) }
            if unreported > 0 { batch.append(contentsOf: notice(unreported)) }
            let done = write(batch)
            if done > 0 { isTorn = batch[done - 1] != Self.lineFeed }
            let lost = batch[lines].dropFirst(max(0, done - lines.lowerBound)).count { $0 == Self.lineFeed }
            finish(reported: done == batch.count ? unreported : 0, lost: UInt64(lost))
            batch.removeAll(keepingCapacity: true)
        }
    }

    /// Waits for lines and removes all that are queued.
    ///
    /// - Returns: how many dropped ones have to be reported after them.
    private func take(_ batch: inout [UInt8]) -> UInt64 {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while state.pointee.waiting.isEmpty {
            state.pointee.isAsleep = true
            pthread_cond_wait(changed, mutex)
        }
        state.pointee.isAsleep = false
        var deadline = Self.time(after: Self.linger)
        while !state.pointee.isUrgent {
            if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { break }
        }
        swap(&state.pointee.waiting, &batch)
        state.pointee.inFlight = batch.count
        return state.pointee.unreported
    }

    private func finish(reported: UInt64, lost: UInt64) {
        withLock { state in
            state.inFlight = 0
            state.dropped += lost
            state.unreported += lost
            state.unreported -= reported
            if state.waiting.isEmpty { state.isUrgent = false }
        }
        pthread_cond_broadcast(written)
    }

    /// Writes all bytes, however long that takes.
    ///
    /// - Returns: how many bytes were written: less than all when the descriptor fails.
    private func write(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { buffer in
            var rest = UnsafeRawBufferPointer(rebasing: buffer[...])
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, min(rest.count, Self.pieceSize))
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                    withLock { $0.inFlight = rest.count }
                } else if count < 0, errno == EAGAIN {
                    // Another process that shares the descriptor has set it to non-blocking.
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    Glibc.poll(&poll, 1, 100)
                } else if count == 0 || errno != EINTR {
                    break
                }
            }
            return bytes.count - rest.count
        }
    }

    private static func time(after duration: Duration) -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let (seconds, attoseconds) = duration.components
        let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
        return timespec(
            tv_sec: time.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    }
}
