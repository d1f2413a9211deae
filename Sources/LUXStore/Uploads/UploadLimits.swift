import Concurrency

/// The limits of the upload writer of one loop, and the shares of one account.
package struct UploadLimits: Sendable {
    /// Maximum unfinished uploads; more are rejected.
    package var uploads = 4_096
    /// Maximum unfinished uploads of one account.
    package var uploadsOfAccount = 128
    /// Maximum records in all unfinished uploads of one account. One upload is always accepted.
    package var recordsOfAccount = 10_000

    /// Maximum uploads in a transaction.
    package var batchUploads = 64
    /// Maximum records in a transaction, unless its first upload alone has more.
    package var batchRecords = 2_000
    /// Maximum records of one account in a shared transaction, unless its first upload alone has more.
    package var batchRecordsOfAccount = 250

    /// Duration after which another group may begin while this one is in flight.
    package var groupPatience = Duration.milliseconds(500)
    /// Maximum number of groups.
    package var groups = 3

    /// An upload of more records is written by itself, on a connection of its own.
    package var groupedRecords = 250
    /// An upload with more bytes of `detail_data` is written by itself.
    package var groupedBytes = 128 << 10

    /// The pause before the first retry of an upload whose rows are locked. It doubles up to `longestRetryPause`.
    package var firstRetryPause = Duration.milliseconds(5)
    /// The longest pause between two retries.
    package var longestRetryPause = Duration.milliseconds(100)
    /// Period in which the uploads of an account are written one by one after the database rejected one of them.
    package var rejectionSuspicion = Duration.seconds(60)
    /// The same after logs or children of the account were found locked.
    package var lockSuspicion = Duration.seconds(5)

    /// Creates the default limits.
    package init() {}

    func retryPause(attempt: Int) -> Duration {
        let pause = min(longestRetryPause, firstRetryPause * (1 << min(attempt, 16)))
        // Jitter, so that two servers that skip each other's locks do not stay in step.
        return pause * Double.random(in: 0.5...1)
    }
}
