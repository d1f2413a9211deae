/// A stored log as `GET usage-logs` returns it. A value; never throws.
package struct UsageLog: Sendable, Equatable {
    package var position: UsageLogPosition
    package var deviceID: Int64
    package var childID: Int64
    package var logFileID: Int64?
    package var finishFlag: Int64?
    package var lastIntensity: Int64?
    package var treatmentTime: Int64?
    /// A JSON text.
    package var detailData: String?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        position: UsageLogPosition, deviceID: Int64, childID: Int64, logFileID: Int64?, finishFlag: Int64?,
        lastIntensity: Int64?, treatmentTime: Int64?, detailData: String?, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.position = position
        self.deviceID = deviceID
        self.childID = childID
        self.logFileID = logFileID
        self.finishFlag = finishFlag
        self.lastIntensity = lastIntensity
        self.treatmentTime = treatmentTime
        self.detailData = detailData
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// The place of a log among all: by start, then by id.
package struct UsageLogPosition: Sendable, Equatable {
    package var start: Timestamp
    package var id: Int64

    package init(start: Timestamp, id: Int64) {
        self.start = start
        self.id = id
    }
}

/// The logs of a child that a client requests, newest first.
package struct UsageLogQuery: Sendable, Equatable {
    package var childID: Int64
    package var deviceID: Int64?
    /// Inclusive.
    package var from: Timestamp?
    /// Exclusive.
    package var to: Timestamp?
    /// How many logs a page may have.
    package var limit: Int64
    /// The last log of the page before.
    package var after: UsageLogPosition?

    package init(
        childID: Int64, deviceID: Int64?, from: Timestamp?, to: Timestamp?, limit: Int64, after: UsageLogPosition? = nil
    ) {
        self.childID = childID
        self.deviceID = deviceID
        self.from = from
        self.to = to
        self.limit = limit
        self.after = after
    }
}
