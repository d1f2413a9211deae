import LUX
import Postgres

/// The result of a transaction for one of its uploads.
enum UploadOutcome {
    case stored(LogPlan.Counts)
    case rejected(RejectedRecord)
    /// Left out: rows that it needs are locked by another transaction.
    case locked
}

/// One transaction for several uploads: lock and read, plan, write and commit.
///
/// ## Lock order, and why there is no deadlock
/// 1. The rows of the accounts' own devices, `for no key update skip locked`. This never waits: an upload whose device is
///    locked is left out. The transaction that has locked a device's row is the only one to write its logs, among the uploads of all servers.
/// 2. The rows of logs and children. They are only locked by a session that does not lock the device first: a person in
///    `psql`, or a deletion. A write does wait for these (an update for the log, the check of a new log's parents for the child), for as long as
///    the session's `lock_timeout` allows. Until then a cycle with that other transaction is possible; the time-out ends it,
///    long before PostgreSQL looks for deadlocks. The transaction is then repeated with `checksLocks`, which finds
///    the locked rows without waiting.
/// 3. `set-my-device`, `un-connect` and `update-alias` lock one device's row and no other row before it, so they may wait for
///    a transaction of uploads, which never waits for them.
struct UploadBatch {
    let uploads: [PendingUpload]
    /// Whether logs and children are tested for locks before they are written.
    let checksLocks: Bool

    /// Writes what can be written, and commits.
    ///
    /// Two uploads of one account and device are never in one batch, and of two accounts at most one may write to a device.
    /// So no upload sees or changes what another one of the batch reads, and all are planned from the same `StoredLogs`.
    ///
    /// - Returns: the outcome of each upload, in order. They are valid once this returns.
    /// - Throws: `PostgresError`. Nothing is stored then, unless the transaction may have been committed.
    func write(in transaction: PostgresTransaction) async throws -> [UploadOutcome] {
        let stored = try await DeviceStore.lockAndRead(
            uploads.map(\.upload), userIDs: distinct(uploads.lazy.map(\.userID)), in: transaction)
        let notLocked = distinct(uploads.lazy.flatMap(\.deviceIDs).filter { stored.devices[$0] == nil })
        let visible = try await DeviceStore.readDevices(notLocked, in: transaction)
        var known = stored
        known.devices.merge(visible) { locked, _ in locked }
        var outcomes: [UploadOutcome] = []
        var plans: [LogPlan?] = []
        outcomes.reserveCapacity(uploads.count)
        for pending in uploads {
            let isLocked = pending.deviceIDs.contains { visible[$0] != nil }
            do throws(RejectedRecord) {
                try (isLocked ? known : stored).authorize(pending.upload, userID: pending.userID)
            } catch {
                outcomes.append(.rejected(error))
                plans.append(nil)
                continue
            }
            let plan = isLocked ? nil : LogPlan(pending.upload, stored: stored)
            outcomes.append(plan.map { .stored($0.counts) } ?? .locked)
            plans.append(plan)
        }
        if checksLocks { try await leaveOutLocked(&plans, &outcomes, in: transaction) }
        let written = plans.compactMap { $0 }
        guard let first = written.first else { return outcomes }
        try await transaction.commit(DeviceStore.writes(of: written.dropFirst().reduce(into: first) { $0.add($1) }))
        return outcomes
    }

    private func leaveOutLocked(
        _ plans: inout [LogPlan?], _ outcomes: inout [UploadOutcome], in transaction: PostgresTransaction
    ) async throws(PostgresError) {
        let logIDs = plans.compactMap { $0 }.flatMap { $0.updates.map(\.logID) }
        let childIDs = Set(zip(uploads, plans).filter { $1 != nil }.flatMap { $0.0.upload.childIDs })
        let free = try await DeviceStore.lockableRows(logIDs: logIDs, childIDs: Array(childIDs), in: transaction)
        for (index, plan) in plans.enumerated() {
            guard let plan else { continue }
            let isFree =
                plan.updates.allSatisfy { free.logIDs.contains($0.logID) }
                && free.childIDs.isSuperset(of: uploads[index].upload.childIDs)
            guard !isFree else { continue }
            plans[index] = nil
            outcomes[index] = .locked
        }
    }
}
