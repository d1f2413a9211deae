import Concurrency
import DequeModule
import LUX

/// The unfinished uploads of one loop: their order, and each account's share. No I/O.
///
/// An upload is *blocked* while an earlier one of the same account and device is unfinished, then *ready* in its lane, then
/// *in flight*; one whose rows are locked is *parked* until its next retry. Two uploads of one account and device are never
/// in flight together, so uploads of one transaction do not depend on each other.
///
/// Owned by `UploadWriter` and confined to its loop.
final class UploadQueue {
    private struct Share {
        var uploads = 0
        var records = 0
    }

    private struct Suspicion {
        var end: MonotonicTime
        var checksLocks: Bool
    }

    private let limits: UploadLimits
    private var unfinished: [ObjectIdentifier: PendingUpload] = [:]
    private var shares: [Int64: Share] = [:]
    private var suspects: [Int64: Suspicion] = [:]
    /// The last unfinished upload of each order key.
    private var tails: [PendingUpload.OrderKey: PendingUpload] = [:]
    private var grouped: Deque<PendingUpload> = []
    private var alone: Deque<PendingUpload> = []
    private var parked: [PendingUpload] = []

    init(limits: UploadLimits) {
        self.limits = limits
    }

    var count: Int { unfinished.count }

    func hasReady(in lane: UploadLane) -> Bool {
        lane == .grouped ? !grouped.isEmpty : !alone.isEmpty
    }

    /// When the next parked upload is due.
    var nextRetry: MonotonicTime? { parked.lazy.map(\.retryAt).min() }

    /// When the oldest unfinished upload arrived.
    var oldestArrival: MonotonicTime? { unfinished.values.lazy.map(\.arrived).min() }

    /// The latest deadline in a lane; uploads mostly have it in the order of their arrival.
    func latestDeadline(in lane: UploadLane) -> MonotonicTime? {
        (lane == .grouped ? grouped : alone).lazy.map(\.deadline).max()
    }

    // MARK: Arrival and end

    /// Adds an upload.
    ///
    /// - Returns: whether its account had room for it.
    func add(_ pending: PendingUpload) -> Bool {
        let share = shares[pending.userID] ?? Share()
        guard
            unfinished.count < limits.uploads,
            share.uploads < limits.uploadsOfAccount,
            share.uploads == 0 || share.records + pending.recordCount <= limits.recordsOfAccount
        else { return false }
        shares[pending.userID] = Share(uploads: share.uploads + 1, records: share.records + pending.recordCount)
        unfinished[ObjectIdentifier(pending)] = pending
        assignLane(to: pending)
        for deviceID in pending.deviceIDs {
            let key = PendingUpload.OrderKey(userID: pending.userID, deviceID: deviceID)
            if let earlier = tails.updateValue(pending, forKey: key) {
                earlier.successors.append(pending)
                pending.blockers += 1
            }
        }
        if pending.blockers == 0 { makeReady(pending) }
        return true
    }

    /// Removes an upload that needs no transaction any more; those that waited for it become ready.
    func finish(_ pending: PendingUpload) {
        guard unfinished.removeValue(forKey: ObjectIdentifier(pending)) != nil else { return }
        if var share = shares[pending.userID] {
            share.uploads -= 1
            share.records -= pending.recordCount
            assert(share.uploads >= 0 && share.records >= 0)
            shares[pending.userID] = share.uploads == 0 ? nil : share
        }
        for deviceID in pending.deviceIDs {
            let key = PendingUpload.OrderKey(userID: pending.userID, deviceID: deviceID)
            if tails[key] === pending { tails[key] = nil }
        }
        let successors = pending.successors
        pending.successors = []
        for successor in successors {
            successor.blockers -= 1
            assert(successor.blockers >= 0)
            if successor.blockers == 0 { makeReady(successor) }
        }
    }

    /// All that are unfinished, in no order.
    var all: some Sequence<PendingUpload> { unfinished.values }

    /// Takes the ready uploads of a lane that arrived up to a given time, and those whose requests were cancelled.
    func takeAll(_ lane: UploadLane, arrivedBy last: MonotonicTime) -> [PendingUpload] {
        func isTaken(_ pending: PendingUpload) -> Bool { pending.arrived <= last || !pending.isAwaited }
        let taken = (lane == .grouped ? grouped : alone).filter(isTaken)
        if lane == .grouped { grouped.removeAll(where: isTaken) } else { alone.removeAll(where: isTaken) }
        // As in `ReadLane`, not `Array(taken)`.
        return taken.map { $0 }
    }

    private func assignLane(to pending: PendingUpload) {
        let isLarge =
            pending.recordCount > limits.groupedRecords || pending.upload.detailBytes > limits.groupedBytes
        pending.lane = isLarge ? .alone : .grouped
        guard let suspicion = suspects[pending.userID] else { return }
        if pending.arrived < suspicion.end {
            pending.lane = .alone
            pending.checksLocks = suspicion.checksLocks
        } else {
            suspects[pending.userID] = nil
        }
    }

    private func makeReady(_ pending: PendingUpload) {
        assert(pending.blockers == 0, "an earlier upload of the device is unfinished")
        if pending.lane == .grouped { grouped.append(pending) } else { alone.append(pending) }
    }

    /// For a limited period, new uploads of an account are written one by one.
    ///
    /// - Parameter checksLocks: `true` because logs or children of the account were found locked; `false` because the database
    ///   rejected an upload.
    func suspect(userID: Int64, checksLocks: Bool, at now: MonotonicTime) {
        if suspects.count >= 1_024 { suspects = suspects.filter { now < $0.value.end } }
        guard suspects.count < 1_024 else { return }
        let duration = checksLocks ? limits.lockSuspicion : limits.rejectionSuspicion
        let earlier = suspects[userID] ?? Suspicion(end: now, checksLocks: false)
        suspects[userID] = Suspicion(
            end: max(earlier.end, now + duration), checksLocks: checksLocks || earlier.checksLocks)
    }

    // MARK: Transactions

    /// Takes what the next transaction of a lane writes, in order of arrival; ready uploads whose requests were cancelled are dropped.
    func take(_ lane: UploadLane, at now: MonotonicTime) -> [PendingUpload] {
        unpark(at: now)
        switch lane {
        case .alone:
            while let pending = alone.popFirst() {
                if pending.isAwaited { return [pending] }
                finish(pending)
            }
            return []
        case .grouped:
            return takeGroup()
        }
    }

    private func takeGroup() -> [PendingUpload] {
        var batch: [PendingUpload] = []
        var left: [PendingUpload] = []
        var records = 0
        var recordsOfAccount: [Int64: Int] = [:]
        while batch.count < limits.batchUploads, let pending = grouped.popFirst() {
            guard pending.isAwaited else {
                finish(pending)
                continue
            }
            let ofAccount = recordsOfAccount[pending.userID, default: 0] + pending.recordCount
            if ofAccount > limits.batchRecordsOfAccount, ofAccount > pending.recordCount {
                left.append(pending)
                continue
            }
            guard batch.isEmpty || records + pending.recordCount <= limits.batchRecords else {
                left.append(pending)
                break
            }
            records += pending.recordCount
            recordsOfAccount[pending.userID] = ofAccount
            batch.append(pending)
        }
        grouped.prepend(contentsOf: left)
        return batch
    }

    /// Leaves an upload out until its next retry, since rows that it needs are locked.
    func park(_ pending: PendingUpload, at now: MonotonicTime) {
        pending.retryAt = now + limits.retryPause(attempt: pending.lockedAttempts)
        pending.lockedAttempts += 1
        assert(!parked.contains { $0 === pending }, "parked twice")
        parked.append(pending)
    }

    /// Marks as ready the parked uploads that are due or whose requests were cancelled.
    func unpark(at now: MonotonicTime) {
        guard parked.contains(where: { $0.retryAt <= now || !$0.isAwaited }) else { return }
        let due = parked.filter { $0.retryAt <= now || !$0.isAwaited }
        parked.removeAll { $0.retryAt <= now || !$0.isAwaited }
        for pending in due { makeReady(pending) }
    }
}
