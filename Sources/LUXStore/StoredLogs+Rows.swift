import LUX
import Postgres

/// The rows of the statements of `DeviceStore.lockAndRead`. All throw `PostgresError` for a row of another shape.
extension StoredLogs {
    /// A device has a counter, a child has none.
    mutating func addChildrenAndDevices(_ result: PostgresResult) throws(PostgresError) {
        for row in result.rows {
            if try row.int8OrNull(3) == nil {
                rootUserIDs[try row.int8(0)] = try row.int8(2)
            } else {
                devices[try row.int8(0)] = try StoredLogs.Device(row: row)
            }
        }
    }

    mutating func addLatestStarts(_ result: PostgresResult) throws(PostgresError) {
        for row in result.rows {
            devices[try row.int8(0)]?.counter.latestStart = Timestamp(microseconds: try row.timestamptz(1))
        }
    }

    /// A temporary log has an id, the completion of an earlier one has none.
    mutating func addTemporaryLogs(_ result: PostgresResult) throws(PostgresError) {
        for row in result.rows {
            let pair = LogPair(deviceID: try row.int8(1), childID: try row.int8(2))
            let start = Timestamp(microseconds: try row.timestamptz(3))
            let treatmentTime = try row.int8OrNull(4).map { Int32(truncatingIfNeeded: $0) }
            if let id = try row.int8OrNull(0) {
                temporaryLogs[pair] = StoredLogs.TemporaryLog(id: id, start: start, treatmentTime: treatmentTime)
            } else {
                completedTemporaries[TemporaryStart(pair: pair, start: start)] = CompletedTemporary(
                    isSameTreatment: try row.int8(5) == 1, treatmentTime: treatmentTime)
            }
        }
    }

    mutating func addCompleteLogs(_ result: PostgresResult) throws(PostgresError) {
        for row in result.rows {
            let key = CompleteLogKey(
                deviceID: try row.int8(1), logFileID: try row.int8OrNull(3),
                start: Timestamp(microseconds: try row.timestamptz(4)))
            completeLogs[key] = (try row.int8(0), try row.int8(2))
        }
    }
}
