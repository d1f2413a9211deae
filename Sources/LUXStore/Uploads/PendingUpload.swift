import Concurrency
import LUX
import Postgres

/// Which transactions an upload may share.
enum UploadLane: CaseIterable, Sendable {
    /// Uploads of usual size: whatever waits shares a transaction.
    case grouped
    /// Large uploads and those that disturbed a group: one in each transaction, on another connection.
    case alone
}

/// An upload from its arrival until it is stored or rejected. Owned by the `UploadQueue` of its loop.
///
/// `@unchecked Sendable`: confined to that loop; a cancellation handler passes it there.
final class PendingUpload: @unchecked Sendable {
    /// Uploads with a common key are written in the order in which they arrived. The account is part of the key, so that
    /// another account cannot delay a device's uploads by naming it in its own.
    struct OrderKey: Hashable {
        var userID: Int64
        var deviceID: Int64
    }

    let upload: LogUpload
    let userID: Int64
    let deviceIDs: [Int64]
    let arrived: MonotonicTime
    let deadline: MonotonicTime
    /// `PostgresCaller.name` of the request.
    let caller: String?

    var lane: UploadLane
    /// Whether rows other than its devices were found locked: its transaction checks them before it writes.
    var checksLocks = false
    /// Number of times its rows were found locked.
    var lockedAttempts = 0
    /// The time of its next retry.
    var retryAt = MonotonicTime(nanoseconds: .min)
    /// Number of order keys that wait for an earlier upload.
    var blockers = 0
    /// Uploads that wait for this one, once for each common key.
    var successors: [PendingUpload] = []

    private var continuation: UnsafeContinuation<Result<LogPlan.Counts, any Error>, Never>?

    init(
        _ upload: LogUpload, userID: Int64, arrived: MonotonicTime, deadline: MonotonicTime, lane: UploadLane = .grouped
    ) {
        self.upload = upload
        self.userID = userID
        self.arrived = arrived
        self.deadline = deadline
        self.lane = lane
        deviceIDs = upload.deviceIDs
        caller = PostgresCaller.name
    }

    var recordCount: Int { upload.records.count }

    /// Whether the request still waits for the outcome.
    var isAwaited: Bool { continuation != nil }

    func await(_ continuation: UnsafeContinuation<Result<LogPlan.Counts, any Error>, Never>) {
        self.continuation = continuation
    }

    /// Resumes the request. Only the first call has an effect.
    func resume(_ result: Result<LogPlan.Counts, any Error>) {
        continuation?.resume(returning: result)
        continuation = nil
    }
}
