import Concurrency
import EventLoop
import LUX
import Postgres

/// Stores the uploads of one loop: whatever waits is written in one transaction, while the next uploads gather.
///
/// It never delays an upload to fill a transaction: with one client each transaction has one upload. Each `UploadLane` has one transaction in
/// flight; a group that takes long is joined by another, so that it does not hold up the uploads behind it. Owned by the loop's `APIServices`.
///
/// `@unchecked Sendable`: confined to the loop of its pool, which `assertCurrent()` checks in debug builds.
package final class UploadWriter: @unchecked Sendable {
    package let statistics = UploadStatistics()
    /// The connections that it uses.
    package let pool: PostgresPool
    private let loop: EventLoop
    private let limits: UploadLimits
    private let queue: UploadQueue
    /// When the tasks of each lane began their last transaction, by their numbers.
    private var running: [UploadLane: [Int: MonotonicTime]] = [:]
    private var lastTask = 0
    private var hasAlarm = false

    package init(pool: PostgresPool, limits: UploadLimits = UploadLimits()) {
        self.pool = pool
        self.limits = limits
        loop = pool.loop
        queue = UploadQueue(limits: limits)
        loop.execute { self.loop.onTick { self.tick() } }
    }

    /// Stores an upload, whole or not at all.
    ///
    /// - Returns: what its records did.
    /// - Throws: `RejectedRecord` for the first record that may not be stored, `RejectedWrite` when the database rejects a log;
    ///   `PostgresError`, `.poolExhausted` when the account's share is used up.
    package func save(_ upload: LogUpload, userID: Int64, deadline: MonotonicTime) async throws -> LogPlan.Counts {
        loop.assertCurrent()
        guard !Task.isCancelled else { throw Self.cancelled }
        let pending = PendingUpload(upload, userID: userID, arrived: loop.now, deadline: deadline)
        guard queue.add(pending) else {
            statistics.rejected()
            throw PostgresError(kind: .poolExhausted, message: "too many unfinished uploads of this account")
        }
        return try await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                pending.await(continuation)
                startLanes()
            }
        } onCancel: {
            loop.execute { pending.resume(.failure(Self.cancelled)) }
        }.get()
    }

    private static let cancelled = PostgresError(kind: .timeout, message: "the client no longer waits")

    // MARK: Lanes

    private func startLanes() {
        loop.assertCurrent()
        for lane in UploadLane.allCases where queue.hasReady(in: lane) && isDelayed(lane, besides: nil) {
            lastTask += 1
            let task = lastTask
            running[lane, default: [:]][task] = .now()
            Task(executorPreference: loop) { await self.run(lane, task) }
        }
    }

    /// Whether all tasks of a lane, or all but one, are so slow that another task may run concurrently.
    private func isDelayed(_ lane: UploadLane, besides task: Int?) -> Bool {
        let others = (running[lane] ?? [:]).filter { $0.key != task }
        guard !others.isEmpty else { return true }
        let begun = MonotonicTime.now() + (.zero - limits.groupPatience)
        return lane == .grouped && others.count < limits.groups && others.values.allSatisfy { $0 <= begun }
    }

    private func run(_ lane: UploadLane, _ task: Int) async {
        loop.assertCurrent()
        while queue.hasReady(in: lane), isDelayed(lane, besides: task) {
            running[lane]?[task] = .now()
            await write(lane, nil, checksLocks: false)
        }
        running[lane]?[task] = nil
        setAlarm()
    }

    /// Runs one transaction.
    ///
    /// - Parameter chosen: the uploads that it is for; `nil` for those that are ready once there is a connection.
    private func write(_ lane: UploadLane, _ chosen: [PendingUpload]?, checksLocks: Bool) async {
        let begin = MonotonicTime.now()
        var uploads = chosen ?? []
        let deadline = uploads.map(\.deadline).max() ?? queue.latestDeadline(in: lane) ?? begin
        var checks = checksLocks
        do {
            // Several uploads are repeated in halves instead.
            let outcomes = try await pool.transaction(
                deadline: deadline, transientRetries: uploads.count > 1 ? 1 : 3
            ) { transaction in
                if chosen == nil, uploads.isEmpty {
                    uploads = queue.take(lane, at: .now())
                    checks = uploads.contains(where: \.checksLocks)
                    statistics.wrote(uploads, at: .now())
                }
                guard !uploads.isEmpty else { return [UploadOutcome]() }
                return try await PostgresCaller.$name.withValue(Self.caller(uploads)) {
                    try await UploadBatch(uploads: uploads, checksLocks: checks).write(in: transaction)
                }
            }
            settle(uploads, outcomes, checkedLocks: checks)
        } catch {
            if uploads.isEmpty {
                // There was no connection; a later attempt may get one for the uploads that have arrived in the meantime.
                for pending in queue.takeAll(lane, arrivedBy: begin) { end(pending, .failure(error)) }
            } else {
                await handle(error, of: uploads, in: lane, checkedLocks: checks)
            }
        }
        // Parked uploads and successors may belong to the other lane.
        startLanes()
    }

    /// The requests that a slow statement is reported for.
    private static func caller(_ uploads: [PendingUpload]) -> String? {
        guard uploads.count > 1 else { return uploads.first?.caller }
        return uploads.lazy.compactMap(\.caller).prefix(8).joined(separator: ",")
    }

    // MARK: Outcomes

    private func settle(_ uploads: [PendingUpload], _ outcomes: [UploadOutcome], checkedLocks: Bool) {
        assert(uploads.count == outcomes.count)
        for (pending, outcome) in zip(uploads, outcomes) {
            switch outcome {
            case .stored(let counts): end(pending, .success(counts))
            case .rejected(let error): end(pending, .failure(error))
            case .locked:
                if checkedLocks { isolate(pending) }
                park(pending)
            }
        }
        setAlarm()
    }

    private func end(_ pending: PendingUpload, _ result: Result<LogPlan.Counts, any Error>) {
        pending.resume(result)
        queue.finish(pending)
    }

    private func park(_ pending: PendingUpload) {
        statistics.locked()
        queue.park(pending, at: .now())
    }

    /// Handles a failed transaction. Where possible, only the upload that caused the failure gets its error.
    private func handle(_ error: any Error, of uploads: [PendingUpload], in lane: UploadLane, checkedLocks: Bool) async
    {
        guard let error = error as? PostgresError, error.kind == .server else {
            for pending in uploads { end(pending, .failure(error)) }
            return
        }
        if error.isLockNotAvailable {
            if DeviceStore.isWrite(error.statement), !checkedLocks {
                return await write(lane, uploads, checksLocks: true)
            }
            if DeviceStore.isWrite(error.statement), uploads.count > 1 {
                return await writeHalves(uploads, in: lane, checksLocks: true)
            }
            // A whole table is locked, or this one upload waits for a row that cannot be seen.
            for pending in uploads {
                if uploads.count == 1 { isolate(pending) }
                park(pending)
            }
            return setAlarm()
        }
        guard !error.isUnavailable || error.isTransient, uploads.count > 1 else {
            for pending in uploads {
                if !error.isUnavailable { queue.suspect(userID: pending.userID, checksLocks: false, at: .now()) }
                end(pending, .failure(RejectedWrite(error) ?? error))
            }
            return
        }
        await writeHalves(uploads, in: lane, checksLocks: checkedLocks)
    }

    private func writeHalves(_ uploads: [PendingUpload], in lane: UploadLane, checksLocks: Bool) async {
        statistics.split()
        let middle = uploads.count / 2
        await write(lane, Array(uploads[..<middle]), checksLocks: checksLocks)
        await write(lane, Array(uploads[middle...]), checksLocks: checksLocks)
    }

    private func isolate(_ pending: PendingUpload) {
        pending.lane = .alone
        pending.checksLocks = true
        // A group could find the same rows locked only by waiting for them.
        queue.suspect(userID: pending.userID, checksLocks: true, at: .now())
    }

    // MARK: Time

    /// Wakes the lanes when the next parked upload is due.
    private func setAlarm() {
        guard !hasAlarm, let next = queue.nextRetry else { return }
        hasAlarm = true
        Task(executorPreference: loop) {
            try? await Task.sleep(for: max(.milliseconds(1), next - .now()))
            self.hasAlarm = false
            self.queue.unpark(at: .now())
            self.startLanes()
            self.setAlarm()
        }
    }

    /// Rejects uploads whose deadline has passed. What is in flight ends by itself; its outcome is then unknown to the client.
    private func tick() {
        loop.assertCurrent()
        let now = loop.now
        var oldest = now
        for pending in queue.all {
            oldest = min(oldest, pending.arrived)
            if pending.isAwaited, pending.deadline <= now {
                let what = pending.lockedAttempts > 0 ? "rows of the upload are locked" : "the deadline has passed"
                pending.resume(.failure(PostgresError(kind: .timeout, message: what)))
            }
        }
        queue.unpark(at: now)
        startLanes()
        statistics.set(unfinished: queue.count, oldest: now - oldest)
    }
}
