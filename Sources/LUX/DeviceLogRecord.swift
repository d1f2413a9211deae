/// One record of an upload: a treatment, in progress or finished. A value; never throws.
package struct DeviceLogRecord: Sendable, Equatable {
    /// The child who was treated.
    package var childID: Int64
    /// The device.
    package var deviceID: Int64
    /// The UUID of the device.
    package var uniqueID: String
    /// The device's own number of the log, 0 or more.
    package var logFileID: Int64?
    /// `treatment_date` as sent.
    package var date: Timestamp
    /// How the treatment ended, 1 to 6; `nil` while it is in progress.
    package var finishFlag: Int16?
    /// Last used intensity, 0 or more.
    package var lastIntensity: Int32
    /// Seconds of use, 0 or more.
    package var treatmentTime: Int32
    /// The whole `detail_data` as sent: the bytes of a JSON object.
    package var detailData: [UInt8]

    package init(
        childID: Int64, deviceID: Int64, uniqueID: String, logFileID: Int64?, date: Timestamp, finishFlag: Int16?,
        lastIntensity: Int32, treatmentTime: Int32, detailData: [UInt8]
    ) {
        self.childID = childID
        self.deviceID = deviceID
        self.uniqueID = uniqueID
        self.logFileID = logFileID
        self.date = date
        self.finishFlag = finishFlag
        self.lastIntensity = lastIntensity
        self.treatmentTime = treatmentTime
        self.detailData = detailData
    }

    /// Whether the treatment is still in progress.
    package var isTemporary: Bool { finishFlag == nil }

    /// When the treatment began. The app reports a treatment in progress 30 seconds after its start, with the time of the
    /// report.
    package var start: Timestamp { isTemporary ? date.adding(seconds: -30) : date }

    var pair: LogPair { LogPair(deviceID: deviceID, childID: childID) }

    var completeKey: CompleteLogKey { CompleteLogKey(deviceID: deviceID, logFileID: logFileID, start: start) }
}

/// A device and the child it is used for. A pair has at most one temporary log.
package struct LogPair: Hashable, Sendable {
    /// The device.
    package var deviceID: Int64
    /// The child.
    package var childID: Int64

    package init(deviceID: Int64, childID: Int64) {
        self.deviceID = deviceID
        self.childID = childID
    }
}

/// Identifies a complete log among those of a device; an absent `log_file_id` equals an absent one.
package struct CompleteLogKey: Hashable, Sendable {
    /// The device.
    package var deviceID: Int64
    /// The device's own number of the log.
    package var logFileID: Int64?
    /// When the treatment began.
    package var start: Timestamp

    package init(deviceID: Int64, logFileID: Int64?, start: Timestamp) {
        self.deviceID = deviceID
        self.logFileID = logFileID
        self.start = start
    }
}

/// The start that a temporary log of a pair had.
package struct TemporaryStart: Hashable, Sendable {
    /// Device and child.
    package var pair: LogPair
    /// The start.
    package var start: Timestamp

    /// Creates one.
    package init(pair: LogPair, start: Timestamp) {
        self.pair = pair
        self.start = start
    }
}
