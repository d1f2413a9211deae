/// What the server has acknowledged for one device, kept small: there is one for each of a million devices.
package struct AcknowledgedLogs: Sendable, Equatable {
    /// Complete logs.
    package private(set) var count: Int32 = 0
    /// Complete logs of an upload that has no response yet.
    package private(set) var open: Int32 = 0
    /// The number of the last one.
    package private(set) var last: Int32 = 0
    /// A temporary log that no complete one has taken over.
    package private(set) var isTemporary = false
    /// An upload has no response yet, so that the database may be ahead of this record.
    package private(set) var isUnsettled = false
    /// The sum of ``mark(file:start:)`` of the complete logs.
    package private(set) var sum: Int64 = 0

    package init() {}

    /// A number that stands for a complete log; `sqlMark` is the same in SQL.
    static func mark(file: Int32, start: Int64) -> Int64 { Int64(file) * 1_000_003 + start }

    static let sqlMark = "log_file_id * 1000003 + extract(epoch from treatment_date)::bigint"

    /// Called before an upload is sent.
    package mutating func begin(_ step: PhoneStep) {
        guard case .upload(let records) = step else { return }
        isUnsettled = true
        open = Int32(records.count { $0.file != nil })
    }

    /// Called when an upload was acknowledged.
    package mutating func acknowledge(_ step: PhoneStep) {
        guard case .upload(let records) = step else { return }
        isUnsettled = false
        open = 0
        for record in records {
            guard let file = record.file else {
                isTemporary = true
                continue
            }
            count += 1
            last = file
            isTemporary = false
            sum += Self.mark(file: file, start: record.start)
        }
    }

    /// What is wrong with the rows of the device, if anything is.
    package func difference(_ rows: StoredCounts) -> Difference? {
        if rows.temporary > 1 { return .secondTemporaryLog }
        if isUnsettled {
            if rows.complete < count { return .lost }
            return rows.complete > count + open ? .extra : nil
        }
        if rows.complete < count { return .lost }
        if rows.complete > count { return .extra }
        if rows.sum != sum { return .otherLogs }
        if rows.temporary != (isTemporary ? 1 : 0) { return isTemporary ? .lostTemporaryLog : .extraTemporaryLog }
        return count > 0 && rows.last != last ? .counter : nil
    }

    package enum Difference: String, Sendable, CaseIterable {
        case lost, extra
        case otherLogs = "other logs"
        case secondTemporaryLog = "second temporary log"
        case lostTemporaryLog = "lost temporary log"
        case extraTemporaryLog = "extra temporary log"
        case counter = "last_log_file_id"
    }
}

/// What the database has of one device.
package struct StoredCounts: Sendable, Equatable {
    package var complete: Int32
    package var temporary: Int32
    package var sum: Int64
    package var last: Int32

    package init(complete: Int32 = 0, temporary: Int32 = 0, sum: Int64 = 0, last: Int32 = 0) {
        self.complete = complete
        self.temporary = temporary
        self.sum = sum
        self.last = last
    }
}
