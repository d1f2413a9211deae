/// The records of one request, and what must be known of what is stored to handle them.
package struct LogUpload: Sendable {
    /// What was sent, in order.
    package let records: [DeviceLogRecord]

    /// An upload of these records.
    package init(_ records: [DeviceLogRecord]) {
        self.records = records
    }

    /// Whether every record is of a treatment under way; the answer's wording depends on it.
    package var isTemporary: Bool { records.allSatisfy(\.isTemporary) }

    /// The bytes of `detail_data` of all records.
    package var detailBytes: Int { records.reduce(0) { $0 + $1.detailData.count } }

    /// The children named, each once, in ascending order.
    package var childIDs: [Int64] { Set(records.map(\.childID)).sorted() }

    /// The devices named, each once, in ascending order: the order in which they are locked.
    package var deviceIDs: [Int64] { Set(records.map(\.deviceID)).sorted() }

    /// The keys of the complete records, each once.
    package var completeKeys: [CompleteLogKey] {
        Array(Set(records.lazy.filter { !$0.isTemporary }.map(\.completeKey)))
    }

    /// The starts of the temporary records, each once.
    package var temporaryStarts: [TemporaryStart] {
        Array(Set(records.lazy.filter(\.isTemporary).map { TemporaryStart(pair: $0.pair, start: $0.start) }))
    }
}

/// What is stored of the children, devices and logs that an upload names.
package struct StoredLogs: Sendable {
    /// The account of each child that exists.
    package var rootUserIDs: [Int64: Int64] = [:]
    /// Each device that exists: its UUID and the child that it is connected to.
    package var devices: [Int64: (uniqueID: String, realUserID: Int64?)] = [:]
    /// The temporary logs of the devices.
    package var temporaryLogs: [LogPair: (id: Int64, start: Timestamp)] = [:]
    /// Those of the upload's temporary starts whose log became complete.
    package var completedTemporaries: Set<TemporaryStart> = []
    /// Those of the upload's complete keys that are stored, with the child whose log it is.
    package var completeLogs: [CompleteLogKey: (id: Int64, childID: Int64)] = [:]

    /// Nothing stored.
    package init() {}

    /// The part of it that concerns the records of one upload, where it was read for several.
    package func narrowed(to upload: LogUpload) -> StoredLogs {
        var part = StoredLogs()
        for record in upload.records {
            let pair = record.pair
            part.rootUserIDs[record.childID] = rootUserIDs[record.childID]
            if part.devices[record.deviceID] == nil { part.devices[record.deviceID] = devices[record.deviceID] }
            if part.temporaryLogs[pair] == nil { part.temporaryLogs[pair] = temporaryLogs[pair] }
            if record.isTemporary {
                let start = TemporaryStart(pair: pair, start: record.start)
                if completedTemporaries.contains(start) { part.completedTemporaries.insert(start) }
            } else {
                part.completeLogs[record.completeKey] = completeLogs[record.completeKey]
            }
        }
        return part
    }

    /// Checks each record in order, as one upload is stored whole or not at all.
    ///
    /// - Throws: for the first record that may not be stored: `.notFoundUser`, `.notAuthorizedUser`, `.notFoundDevice` or
    ///   `.notConnectedDevice`.
    package func authorize(_ upload: LogUpload, userID: Int64) throws(LUXError) {
        for record in upload.records {
            guard let rootUserID = rootUserIDs[record.childID] else { throw .notFoundUser }
            guard rootUserID == userID else { throw .notAuthorizedUser }
            guard let device = devices[record.deviceID], isSameText(device.uniqueID, record.uniqueID) else {
                throw .notFoundDevice
            }
            guard device.realUserID == record.childID else { throw .notConnectedDevice }
        }
    }
}
