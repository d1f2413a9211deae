import LUX
import Postgres

/// The rows of the statements of `DeviceStore.lockAndRead`. All throw `PostgresError` for a row of another shape.
extension StoredLogs {
    mutating func addChildren(_ result: PostgresResult) throws(PostgresError) {
        for row in result.rows { rootUserIDs[try row.int8(0)] = try row.int8(1) }
    }

    mutating func addDevices(_ result: PostgresResult) throws(PostgresError) {
        for row in result.rows { devices[try row.int8(0)] = try StoredLogs.Device(row: row) }
    }

    mutating func addLatestStarts(_ result: PostgresResult) throws(PostgresError) {
        for row in result.rows {
            devices[try row.int8(0)]?.counter.latestStart = Timestamp(microseconds: try row.timestamptz(1))
        }
    }

    mutating func addTemporaryLogs(_ result: PostgresResult) throws(PostgresError) {
        for row in result.rows {
            let pair = LogPair(deviceID: try row.int8(1), childID: try row.int8(2))
            temporaryLogs[pair] = StoredLogs.TemporaryLog(
                id: try row.int8(0), start: Timestamp(microseconds: try row.timestamptz(3)),
                treatmentTime: try row.int8OrNull(4).map { Int32(truncatingIfNeeded: $0) })
        }
    }

    mutating func addCompletedTemporaries(
        _ result: PostgresResult
    ) throws(PostgresError) {
        for row in result.rows {
            let pair = LogPair(deviceID: try row.int8(0), childID: try row.int8(1))
            let start = Timestamp(microseconds: try row.timestamptz(2))
            completedTemporaries[TemporaryStart(pair: pair, start: start)] = CompletedTemporary(
                isSameTreatment: try row.int8(3) == 1,
                treatmentTime: try row.int8OrNull(4).map { Int32(truncatingIfNeeded: $0) })
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
