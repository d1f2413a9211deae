import CLinux
import Concurrency
import Dispatch
import Glibc

/// One epoll instance, one thread, and the task executor of everything that lives on it.
///
/// A loop is a long-running block on a `DispatchQueue` of its own. Descriptors, handlers, hooks and all objects that are
/// documented as confined to a loop are touched on its thread only. A task that prefers this executor runs its
/// non-isolated code on that thread too, so it may use confined objects between its suspensions without locks.
///
/// `@unchecked Sendable`: all mutable state but the inbox is confined to the loop's thread, which `assertCurrent()`
/// checks in debug builds; the inbox is `Locked`.
package final class EventLoop: TaskExecutor, @unchecked Sendable {
    /// How often the hooks of ``onTick(_:)`` run: the resolution of all deadlines.
    package static let tickInterval = Duration.milliseconds(50)

    private struct Registration {
        var handler: (any EventHandler)?
        var generation: UInt32
    }

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var blocks: [@Sendable () -> Void] = []
        var woken = false
    }

    /// The loop whose thread this is, found without a lock.
    private static let currentKey: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    private let queue: DispatchQueue
    private let epoll: Int32
    private let wakeUp: Int32
    private let inbox = Locked(Inbox())
    private var registrations: [Registration] = []
    private var jobs: [UnownedJob] = []
    private var turnHooks: [() -> Void] = []
    private var tickHooks: [() -> Void] = []
    private var nextTick: MonotonicTime
    private var isRunning = true

    /// The time at which the current turn began; cheaper than reading the clock. For use on the loop's thread.
    package private(set) var now: MonotonicTime

    /// Creates a loop that does nothing before ``start()``.
    ///
    /// - Parameter label: the name of its dispatch queue.
    /// - Throws: ``EventLoopError`` when the kernel has no descriptor for it.
    package init(label: String) throws(EventLoopError) {
        queue = DispatchQueue(label: label)
        now = .now()
        nextTick = now + Self.tickInterval
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw EventLoopError(call: "epoll_create1", errno: errno) }
        wakeUp = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard wakeUp >= 0 else { throw EventLoopError(call: "eventfd", errno: errno) }
        try control(EPOLL_CTL_ADD, wakeUp, .readable, generation: 0)
    }

    /// Runs for a loop that was never started, and where `init` throws after both descriptors are set.
    deinit {
        close(wakeUp)
        close(epoll)
    }

    /// Begins to run, on the loop's own dispatch queue, until ``stop()``.
    package func start() {
        queue.async { self.run() }
    }

    /// Ends the loop after its current turn. May be called from any thread.
    package func stop() {
        execute { self.isRunning = false }
    }

    /// Whether the caller runs on this loop's thread.
    package var isCurrent: Bool {
        pthread_getspecific(Self.currentKey) == Unmanaged.passUnretained(self).toOpaque()
    }

    /// Traps in debug builds when the caller is not on this loop's thread.
    @inlinable package func assertCurrent() {
        assert(isCurrent, "state of an event loop used outside of its thread")
    }

    /// Runs a block on the loop's thread in one of its next turns. May be called from any thread.
    package func execute(_ block: @escaping @Sendable () -> Void) {
        let wake = inbox.withLock { inbox in
            inbox.blocks.append(block)
            return !exchange(&inbox.woken)
        }
        if wake { signalWakeUp() }
    }

    /// Takes a job of the Swift concurrency runtime; part of `TaskExecutor`.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
            return
        }
        let wake = inbox.withLock { inbox in
            inbox.jobs.append(job)
            return !exchange(&inbox.woken)
        }
        if wake { signalWakeUp() }
    }

    /// Adds a block that runs at the end of each turn, when no job is left. On the loop's thread or before ``start()``.
    package func onTurnEnd(_ hook: @escaping () -> Void) {
        turnHooks.append(hook)
    }

    /// Adds a block that runs each ``tickInterval``, for deadlines. On the loop's thread or before ``start()``.
    package func onTick(_ hook: @escaping () -> Void) {
        tickHooks.append(hook)
    }

    // MARK: Descriptors

    /// Watches a descriptor; its handler is kept until ``unwatch(_:)``.
    ///
    /// - Throws: ``EventLoopError`` when epoll_ctl(2) fails.
    package func watch(_ descriptor: Int32, for events: Readiness, handler: any EventHandler) throws(EventLoopError) {
        assertCurrent()
        let index = Int(descriptor)
        while registrations.count <= index {
            registrations.append(Registration(handler: nil, generation: 0))
        }
        registrations[index].generation &+= 1
        try control(EPOLL_CTL_ADD, descriptor, events, generation: registrations[index].generation)
        registrations[index].handler = handler
    }

    /// Changes what a watched descriptor is watched for.
    package func change(_ descriptor: Int32, to events: Readiness) throws(EventLoopError) {
        assertCurrent()
        guard registrations.indices.contains(Int(descriptor)) else { return }
        try control(EPOLL_CTL_MOD, descriptor, events, generation: registrations[Int(descriptor)].generation)
    }

    /// Ends watching. Events of this descriptor that are left in the current turn are dropped, so that a new owner of
    /// the same number never sees them. A descriptor that was closed already is ignored, and one that has a new owner by
    /// now stays the new owner's.
    package func unwatch(_ descriptor: Int32, handler: any EventHandler) {
        assertCurrent()
        let index = Int(descriptor)
        guard registrations.indices.contains(index), registrations[index].handler === handler else { return }
        registrations[index].handler = nil
        registrations[index].generation &+= 1
        epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
    }

    private func control(
        _ operation: Int32, _ descriptor: Int32, _ events: Readiness, generation: UInt32
    ) throws(EventLoopError) {
        var event = epoll_event()
        event.events = events.rawValue
        event.data.u64 = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        guard epoll_ctl(epoll, operation, descriptor, &event) == 0 else {
            throw EventLoopError(call: "epoll_ctl", errno: errno)
        }
    }

    // MARK: Turns

    private func run() {
        pthread_setspecific(Self.currentKey, Unmanaged.passUnretained(self).toOpaque())
        defer { pthread_setspecific(Self.currentKey, nil) }
        let capacity = 256
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        defer { events.deallocate() }
        while isRunning {
            let count = epoll_wait(epoll, events, Int32(capacity), millisecondsToWait())
            now = .now()
            for index in 0..<max(0, Int(count)) {
                dispatch(events[index])
            }
            drainInbox()
            runJobs()
            for hook in turnHooks { hook() }
            if now >= nextTick {
                nextTick = now + Self.tickInterval
                for hook in tickHooks { hook() }
            }
        }
    }

    private func millisecondsToWait() -> Int32 {
        guard jobs.isEmpty else { return 0 }
        let wait = (nextTick - .now()).wholeNanoseconds
        return wait <= 0 ? 0 : Int32(clamping: (wait + 999_999) / 1_000_000)
    }

    private func dispatch(_ event: epoll_event) {
        let descriptor = Int32(truncatingIfNeeded: event.data.u64 & 0xffff_ffff)
        if descriptor == wakeUp {
            var count: UInt64 = 0
            _ = read(wakeUp, &count, 8)
            return
        }
        guard registrations.indices.contains(Int(descriptor)) else { return }
        let registration = registrations[Int(descriptor)]
        guard registration.generation == UInt32(event.data.u64 >> 32) else { return }
        registration.handler?.ready(Readiness(rawValue: event.events))
    }

    private func drainInbox() {
        let taken = inbox.withLock { inbox in
            let taken = inbox
            inbox = Inbox()
            return taken
        }
        jobs.append(contentsOf: taken.jobs)
        for block in taken.blocks { block() }
    }

    /// Runs jobs until none is left, but not forever: a job that always enqueues another must not keep sockets waiting.
    private func runJobs() {
        var rounds = 0
        while !jobs.isEmpty, rounds < 64 {
            var batch: [UnownedJob] = []
            swap(&batch, &jobs)
            for job in batch {
                job.runSynchronously(on: asUnownedTaskExecutor())
            }
            rounds += 1
        }
    }

    private func signalWakeUp() {
        var one: UInt64 = 1
        // It fails only when the counter is full, and then the loop is awake.
        _ = write(wakeUp, &one, 8)
    }
}

/// Sets the flag and returns its previous value.
private func exchange(_ flag: inout Bool) -> Bool {
    defer { flag = true }
    return flag
}

/// A system call that failed while an event loop was created or changed.
package struct EventLoopError: Error, CustomStringConvertible {
    /// The system call.
    package let call: String
    /// Its `errno`.
    package let errno: Int32

    /// The call and the system's text for its error.
    package var description: String {
        "\(call): \(String(cString: strerror(errno)))"
    }
}
