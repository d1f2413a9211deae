import Foundation

/// Runs `work` on `count` threads of their own that start together, and returns their results in order.
package func simultaneously<Value: Sendable>(
    _ count: Int, _ work: @escaping @Sendable (_ index: Int) throws -> Value
) throws -> [Value] {
    let results = Results<Value>(count)
    let gate = NSLock()
    let finished = DispatchGroup()
    gate.lock()
    for index in 0..<count {
        finished.enter()
        Thread.detachNewThread {
            gate.lock()
            gate.unlock()
            results.set(index, Result { try work(index) })
            finished.leave()
        }
    }
    gate.unlock()
    finished.wait()
    return try results.all()
}

/// Runs blocking work off the pool that runs the tests, so that a test which mostly waits holds up no other one.
package func onThread<Value: Sendable>(_ work: @Sendable () throws -> Value) async throws -> Value {
    try await withTaskExecutorPreference(ThreadExecutor()) { try work() }
}

/// Gives each job a thread of its own. The job stays part of its task, so that a failed expectation knows its test.
final class ThreadExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

private final class Results<Value: Sendable>: Sendable {
    private let slots: Guarded<[Result<Value, any Error>?]>

    init(_ count: Int) {
        slots = Guarded(Array(repeating: nil, count: count))
    }

    func set(_ index: Int, _ result: Result<Value, any Error>) {
        slots.withLock { $0[index] = result }
    }

    func all() throws -> [Value] {
        try slots.withLock { $0 }.compactMap { try $0?.get() }
    }
}
