import LUXStore
import Postgres

/// Deletes what is older than it may be kept. Owned by its command and used on its thread.
package struct Retention {
    private let session: PostgresSession
    private let access: AccessRecords

    package init(session: PostgresSession, actor: Actor) {
        self.session = session
        access = actor.records(session)
    }

    /// Deletes, or counts.
    ///
    /// - Parameters:
    ///   - days: how long each kind of data is kept; what is not named is kept forever.
    ///   - isDryRun: whether rows are counted only.
    /// - Throws: `AccessRecords.Rejection`, `PostgresError`.
    package func run(keeping days: [RetainedData: Int], isDryRun: Bool) throws -> Report {
        let store = RetentionStore(session: session)
        var report = Report()
        for data in RetainedData.allCases {
            guard let days = days[data] else {
                report.add(data.rawValue, .text("kept forever"))
                continue
            }
            let count =
                isDryRun
                ? try store.count(data, olderThan: days) : try delete(data, olderThan: days, store)
            report.add(data.rawValue, count)
        }
        return report
    }

    /// Leaves an access record if there is anything to delete, in the transaction of the first batch.
    private func delete(_ data: RetainedData, olderThan days: Int, _ store: RetentionStore) throws -> Int {
        var sum = 0
        var record: Int64?
        try store.delete(data, olderThan: days) { body in
            let count = try session.transaction {
                let count = try body()
                guard count > 0 else { return 0 }
                if let record {
                    try access.add(count, to: record)
                } else {
                    let subject = AccessSubject("\(data.rawValue) older than \(days) days")
                    record = try access.begin("retention run", subject, count: count)
                }
                return count
            }
            sum += count
            return count
        }
        if let record { try access.finish(record) }
        return sum
    }
}
