import Concurrency
import Metrics

/// The statistics of the upload writer of one loop. Written by its loop, read from any thread.
package final class UploadStatistics: Sendable {
    package struct Values: Sendable {
        /// Transactions by the largest number of uploads that they may have, and those with more than the last bound.
        package var batches = [UInt64](repeating: 0, count: UploadStatistics.batchBounds.count + 1)
        /// Uploads in all these transactions, retries included.
        package var uploads: UInt64 = 0
        /// From the arrival of an upload to the transaction that it is first part of.
        package var waits = Histogram()
        /// Uploads rejected because their account used up its share, or because there were too many in all.
        package var rejected: UInt64 = 0
        /// Number of times that an upload was left out of its transaction because rows that it needs were locked.
        package var locked: UInt64 = 0
        /// Transactions that were repeated in parts because the database rejected a statement.
        package var split: UInt64 = 0
        /// Uploads that are not finished; up to a tick old.
        package var unfinished = 0
        /// The age of the oldest unfinished upload in seconds; up to a tick old.
        package var oldest = 0.0
    }

    /// The bounds of the histogram of batch sizes.
    package static let batchBounds = [1, 2, 4, 8, 16, 32, 64]

    private let state = Locked(Values())

    package init() {}

    package var values: Values { state.withLock { $0 } }

    func wrote(_ uploads: [PendingUpload], at now: MonotonicTime) {
        state.withLock { state in
            let bucket = Self.batchBounds.firstIndex { uploads.count <= $0 } ?? Self.batchBounds.count
            state.batches[bucket] += 1
            state.uploads += UInt64(uploads.count)
            for pending in uploads where pending.lockedAttempts == 0 {
                state.waits.observe((now - pending.arrived).inSeconds)
            }
        }
    }

    func rejected() { state.withLock { $0.rejected += 1 } }

    func locked() { state.withLock { $0.locked += 1 } }

    func split() { state.withLock { $0.split += 1 } }

    func set(unfinished: Int, oldest: Duration) {
        state.withLock { state in
            state.unfinished = unfinished
            state.oldest = oldest.inSeconds
        }
    }
}
