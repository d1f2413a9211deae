import Concurrency
import Dispatch
import Glibc
import LUXTestSupport
import Testing

@testable import EventLoop

@Suite(.ownThread) struct EventLoopTests {
    private func running() throws -> EventLoop {
        let loop = try EventLoop(label: "test.loop")
        loop.start()
        return loop
    }

    /// Runs a block on the loop and waits for what it returns.
    private func on<T: Sendable>(_ loop: EventLoop, _ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: body()) }
        }
    }

    @Test func `blocks of many threads all run, each once, on the loop's thread`() async throws {
        let loop = try running()
        defer { loop.stop() }
        let seen = Counter()
        let strangers = Counter()
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<1_000 {
                loop.execute {
                    seen.increment()
                    if !loop.isCurrent { strangers.increment() }
                }
            }
        }
        // Blocks run in order, so this one runs behind all of them.
        await on(loop) {}
        #expect(seen.value == 8_000)
        #expect(strangers.value == 0)
        #expect(!loop.isCurrent)
    }

    @Test func `a task that prefers the loop comes back to its thread behind each suspension`() async throws {
        let loop = try running()
        defer { loop.stop() }
        await withTaskExecutorPreference(loop) {
            for _ in 0..<100 {
                #expect(loop.isCurrent)
                await withUnsafeContinuation { continuation in
                    DispatchQueue.global().async { continuation.resume() }
                }
                #expect(loop.isCurrent)
                await Task.yield()
                #expect(loop.isCurrent)
            }
            try? await Task.sleep(for: .milliseconds(2))
            #expect(loop.isCurrent)
        }
    }

    @Test func `a task that never ends by itself does not keep descriptors and ticks waiting`() async throws {
        let loop = try running()
        defer { loop.stop() }
        let done = Flag()
        let turns = Counter()
        let spinning = Task(executorPreference: loop) {
            while !done.isSet { await Task.yield() }
        }
        await on(loop) { loop.onTick { turns.increment() } }
        try await Task.sleep(for: .milliseconds(400))
        #expect(turns.value >= 2)
        done.set()
        await spinning.value
    }

    /// Counts what it hears; `onReady` runs inside of it.
    private final class Recorder: EventHandler, @unchecked Sendable {
        let count = Counter()
        var onReady: (() -> Void)?

        func ready(_ events: Readiness) {
            count.increment()
            onReady?()
        }
    }

    private func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(Glibc.pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    @Test func `a handler gets the events of its descriptor until it is unwatched`() async throws {
        let loop = try running()
        defer { loop.stop() }
        let (input, output) = try pipe()
        defer { for descriptor in [input, output] { close(descriptor) } }
        let recorder = Recorder()
        await on(loop) { try? loop.watch(input, for: [.readable, .edgeTriggered], handler: recorder) }
        for expected in 1...3 {
            write(output, "x", 1)
            while recorder.count.value < expected { await Task.yield() }
        }
        await on(loop) { loop.unwatch(input, handler: recorder) }
        write(output, "x", 1)
        for _ in 0..<3 { await on(loop) {} }
        #expect(recorder.count.value == 3)
    }

    @Test func `an event of a closed descriptor never reaches the next owner of its number`() async throws {
        let loop = try running()
        defer { loop.stop() }
        let (first, second) = (try pipe(), try pipe())
        let (old, new) = (Recorder(), Recorder())
        let replaced = Flag()
        // Both become ready in one turn. Whichever is called first closes the other's descriptor, whose number a new
        // pipe takes over immediately: the second event of that turn then has no handler.
        let swap: @Sendable (Int32) -> Void = { descriptor in
            guard !replaced.isSet else { return }
            replaced.set()
            loop.unwatch(descriptor, handler: old)
            close(descriptor)
            var ends: [Int32] = [-1, -1]
            guard Glibc.pipe(&ends) == 0 else { return }
            try? loop.watch(ends[0], for: .readable, handler: new)
        }
        let one = Recorder()
        one.onReady = { swap(second.read) }
        old.onReady = { loop.unwatch(second.read, handler: old) }
        await on(loop) {
            try? loop.watch(first.read, for: [.readable, .edgeTriggered], handler: one)
            try? loop.watch(second.read, for: [.readable, .edgeTriggered], handler: old)
            write(first.write, "x", 1)
            write(second.write, "x", 1)
        }
        for _ in 0..<5 { await on(loop) {} }
        #expect(one.count.value == 1)
        #expect(replaced.isSet)
        #expect(new.count.value == 0)
    }

    @Test func `unwatching a number that has a new owner leaves the new owner alone`() async throws {
        let loop = try running()
        defer { loop.stop() }
        let (input, output) = try pipe()
        defer { for descriptor in [input, output] { close(descriptor) } }
        let (old, new) = (Recorder(), Recorder())
        await on(loop) {
            try? loop.watch(input, for: .readable, handler: old)
            loop.unwatch(input, handler: old)
            try? loop.watch(input, for: [.readable, .edgeTriggered], handler: new)
            loop.unwatch(input, handler: old)
        }
        write(output, "x", 1)
        while new.count.value == 0 { await Task.yield() }
        #expect(old.count.value == 0)
    }

    @Test func `an error of the kernel is thrown with its reason`() async throws {
        let loop = try running()
        defer { loop.stop() }
        let description = await on(loop) { () -> String in
            do throws(EventLoopError) {
                try loop.watch(9_999, for: .readable, handler: Recorder())
                return "watched"
            } catch {
                return error.description
            }
        }
        #expect(description == "epoll_ctl: Bad file descriptor")
    }
}

@Suite struct MonotonicTimeTests {
    @Test(
        arguments: [
            (Duration.seconds(1), 1_000_000_000), (.nanoseconds(1), 1), (.milliseconds(-5), -5_000_000), (.zero, 0),
            (.seconds(Int64.max), Int64.max), (.seconds(Int64.min), Int64.min),
        ] as [(Duration, Int64)]) func `a duration is whole nanoseconds and never overflows`(
            _ duration: Duration, _ nanoseconds: Int64
        )
    {
        #expect(duration.wholeNanoseconds == nanoseconds)
        let sum = MonotonicTime(nanoseconds: 0) + duration
        #expect(sum.nanoseconds == nanoseconds)
    }

    @Test func `sums saturate`() {
        #expect((MonotonicTime(nanoseconds: .max) + .seconds(1)).nanoseconds == .max)
        #expect((MonotonicTime(nanoseconds: .min) + .seconds(-1)).nanoseconds == .min)
        #expect(MonotonicTime(nanoseconds: 5) - MonotonicTime(nanoseconds: 3) == .nanoseconds(2))
    }
}
