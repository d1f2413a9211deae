/// What is stored of the children, devices and logs that an upload names: all that `LogPlan` needs to know.
package struct StoredLogs: Sendable {
    /// A device that exists.
    package struct Device: Sendable, Equatable {
        package var uniqueID: String
        /// The child that it is connected to.
        package var realUserID: Int64?
        package var counter: LogCounter

        package init(uniqueID: String, realUserID: Int64?, counter: LogCounter) {
            self.uniqueID = uniqueID
            self.realUserID = realUserID
            self.counter = counter
        }
    }

    /// A stored temporary log.
    package struct TemporaryLog: Sendable, Equatable {
        package var id: Int64
        package var start: Timestamp
        /// `nil` for a row that was inserted by SQL without it.
        package var treatmentTime: Int32?

        package init(id: Int64, start: Timestamp, treatmentTime: Int32?) {
            self.id = id
            self.start = start
            self.treatmentTime = treatmentTime
        }
    }

    /// The account of each child that exists.
    package var rootUserIDs: [Int64: Int64] = [:]
    /// The devices that exist.
    package var devices: [Int64: Device] = [:]
    /// The temporary logs of the devices.
    package var temporaryLogs: [LogPair: TemporaryLog] = [:]
    /// Those of the upload's temporary starts whose log has become complete.
    package var completedTemporaries: [TemporaryStart: CompletedTemporary] = [:]
    /// Those of the upload's complete keys that are stored, with the child whose log it is.
    package var completeLogs: [CompleteLogKey: (id: Int64, childID: Int64)] = [:]

    package init() {}

    /// Checks each record in order, as an upload is stored whole or not at all.
    ///
    /// - Throws: for the first record that may not be stored.
    package func authorize(_ upload: LogUpload, userID: Int64) throws(RejectedRecord) {
        var last: DeviceLogRecord?
        for (index, record) in upload.records.enumerated() {
            if let last, last.pair == record.pair, isSameText(last.uniqueID, record.uniqueID) { continue }
            if let error = rejection(of: record, userID: userID) {
                throw RejectedRecord(index: index, isTemporary: record.isTemporary, error: error)
            }
            last = record
        }
    }

    private func rejection(of record: DeviceLogRecord, userID: Int64) -> LUXError? {
        guard let rootUserID = rootUserIDs[record.childID] else { return .notFoundUser }
        guard rootUserID == userID else { return .notAuthorizedUser }
        guard let device = devices[record.deviceID], isSameText(device.uniqueID, record.uniqueID) else {
            return .notFoundDevice
        }
        return device.realUserID == record.childID ? nil : .notConnectedDevice
    }
}

/// A record of an upload that may not be stored. The API page fixes the response, which does not name the record; the
/// description, for the log, does.
package struct RejectedRecord: Error, Equatable, CustomStringConvertible {
    /// Its place in `log_arrays`, from 0.
    package var index: Int
    package var isTemporary: Bool
    /// `.notFoundUser`, `.notAuthorizedUser`, `.notFoundDevice` or `.notConnectedDevice`.
    package var error: LUXError

    package init(index: Int, isTemporary: Bool, error: LUXError) {
        self.index = index
        self.isTemporary = isTemporary
        self.error = error
    }

    package var description: String {
        "log_arrays[\(index)] (\(isTemporary ? "temporary" : "complete")): \(error.detail)"
    }
}
