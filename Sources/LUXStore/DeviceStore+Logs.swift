import LUX
import Postgres

extension DeviceStore {
    // MARK: What the plan needs

    private static let children = PostgresStatement(
        "devlog_children", "select id, root_user_id from real_users where id = any($1)")

    /// Every endpoint that writes locks its devices, so what is read after the lock stays true until the commit. Rows that
    /// are locked by another transaction are left out instead of waited for; see `UploadBatch`.
    private static let lockDevices = PostgresStatement(
        "devlog_lock_devices",
        "select id, unique_id, real_user_id from devices where id = any($1) order by id for no key update skip locked")

    private static let devices = PostgresStatement(
        "devlog_devices", "select id, unique_id, real_user_id from devices where id = any($1)")

    private static let lockLogs = PostgresStatement(
        "devlog_lock_logs", "select id from device_logs where id = any($1) for no key update skip locked")

    // As a foreign key does.
    private static let lockChildren = PostgresStatement(
        "devlog_lock_children", "select id from real_users where id = any($1) for key share skip locked")

    private static let temporaryLogs = PostgresStatement(
        "devlog_temporary_logs",
        """
        select id, device_id, real_user_id, treatment_date from device_logs
        where device_id = any($1) and finish_flag is null
        """)

    // `offset 0` keeps each look-up a look-up by index: as a plain join it could be planned, while the table is empty, as
    // a scan of a whole index, and a prepared statement keeps its plan.
    private static let completedTemporaries = PostgresStatement(
        "devlog_completed_temporaries",
        """
        select l.device_id, l.real_user_id, l.temp_treatment_date
        from unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) as k (device_id, real_user_id, start),
             lateral (select * from device_logs
                      where device_id = k.device_id and real_user_id = k.real_user_id
                        and temp_treatment_date = k.start and temp_treatment_date is not null
                        and finish_flag is not null
                      offset 0) l
        """)

    private static let completeLogs = PostgresStatement(
        "devlog_complete_logs",
        """
        select l.id, l.device_id, l.real_user_id, l.log_file_id, l.treatment_date
        from unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) as k (device_id, log_file_id, start),
             lateral (select * from device_logs
                      where device_id = k.device_id and treatment_date = k.start
                        and log_file_id is not distinct from k.log_file_id and finish_flag is not null
                      offset 0) l
        """)

    // MARK: What the plan writes. Times are the statement's: the transaction's begins before it waits for its locks.

    // As text, since jsonb takes 1.0 and 1.00 for equal and yet keeps them apart.
    private static let updateLogs = PostgresStatement(
        "update_device_logs",
        """
        update device_logs l
        set log_file_id = n.log_file_id, treatment_date = n.start, finish_flag = n.finish_flag,
            last_intensity = n.last_intensity, treatment_time = n.treatment_time, detail_data = n.detail_data,
            temp_treatment_date = coalesce(n.completed_start, l.temp_treatment_date), updated_at = statement_timestamp()
        from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::smallint[], $5::integer[], $6::integer[],
                    $7::jsonb[], $8::timestamptz[])
             as n (id, log_file_id, start, finish_flag, last_intensity, treatment_time, detail_data, completed_start)
        where l.id = any($1) and l.id = n.id
          and (l.log_file_id, l.treatment_date, l.finish_flag, l.last_intensity, l.treatment_time, l.detail_data::text)
              is distinct from
              (n.log_file_id, n.start, n.finish_flag, n.last_intensity, n.treatment_time, n.detail_data::text)
        """)

    private static let insertLogs = PostgresStatement(
        "insert_device_logs",
        """
        insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, last_intensity,
                                 treatment_time, detail_data, created_at, updated_at)
        select *, statement_timestamp(), statement_timestamp()
        from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::smallint[],
                    $6::integer[], $7::integer[], $8::jsonb[])
        """)

    private static let raiseLastLogFileIDs = PostgresStatement(
        "raise_last_log_file_ids",
        """
        update devices d set last_log_file_id = n.last_log_file_id
        from unnest($1::bigint[], $2::bigint[]) as n (id, last_log_file_id)
        where d.id = any($1) and d.id = n.id and d.last_log_file_id < n.last_log_file_id
        """)

    // MARK: The steps of UploadBatch

    /// Locks the devices of an upload, or of several, and reads what their plans need. Devices that another transaction has
    /// locked are missing in the result, like those that do not exist.
    static func lockAndRead(
        _ upload: LogUpload, in transaction: PostgresTransaction
    ) async throws(PostgresError) -> StoredLogs {
        let deviceIDs = PostgresParameter.int8Array(upload.deviceIDs)
        let starts = upload.temporaryStarts
        let keys = upload.completeKeys
        let results = try await transaction.run([
            children(.int8Array(upload.childIDs)),
            lockDevices(deviceIDs),
            temporaryLogs(deviceIDs),
            completedTemporaries(
                .int8Array(starts.map(\.pair.deviceID)), .int8Array(starts.map(\.pair.childID)),
                .timestamptzArray(starts.map(\.start.microseconds))),
            completeLogs(
                .int8Array(keys.map(\.deviceID)), .int8Array(keys.map(\.logFileID)),
                .timestamptzArray(keys.map(\.start.microseconds))),
        ])
        guard results.count == 5 else {
            throw PostgresError(kind: .protocolViolation, message: "\(results.count) results of 5 statements")
        }
        var stored = StoredLogs()
        for row in results[0].rows { stored.rootUserIDs[try row.int8(0)] = try row.int8(1) }
        for row in results[1].rows { stored.devices[try row.int8(0)] = (try row.text(1), try row.int8OrNull(2)) }
        for row in results[2].rows {
            let pair = LogPair(deviceID: try row.int8(1), childID: try row.int8(2))
            stored.temporaryLogs[pair] = (try row.int8(0), Timestamp(microseconds: try row.timestamptz(3)))
        }
        for row in results[3].rows {
            let pair = LogPair(deviceID: try row.int8(0), childID: try row.int8(1))
            let start = Timestamp(microseconds: try row.timestamptz(2))
            stored.completedTemporaries.insert(TemporaryStart(pair: pair, start: start))
        }
        for row in results[4].rows {
            let key = CompleteLogKey(
                deviceID: try row.int8(1), logFileID: try row.int8OrNull(3),
                start: Timestamp(microseconds: try row.timestamptz(4)))
            stored.completeLogs[key] = (try row.int8(0), try row.int8(2))
        }
        return stored
    }

    /// Devices as they are visible without a lock.
    static func readDevices(
        _ ids: [Int64], in transaction: PostgresTransaction
    ) async throws(PostgresError) -> [Int64: (uniqueID: String, realUserID: Int64?)] {
        guard !ids.isEmpty else { return [:] }
        var found: [Int64: (uniqueID: String, realUserID: Int64?)] = [:]
        for result in try await transaction.run([devices(.int8Array(ids))]) {
            for row in result.rows { found[try row.int8(0)] = (try row.text(1), try row.int8OrNull(2)) }
        }
        return found
    }

    /// Locks logs and children as far as nobody else has them locked.
    static func lockableRows(
        logIDs: [Int64], childIDs: [Int64], in transaction: PostgresTransaction
    ) async throws(PostgresError) -> (logIDs: Set<Int64>, childIDs: Set<Int64>) {
        let results = try await transaction.run([lockLogs(.int8Array(logIDs)), lockChildren(.int8Array(childIDs))])
        var sets: [Set<Int64>] = []
        for result in results {
            var ids: Set<Int64> = []
            for row in result.rows { ids.insert(try row.int8(0)) }
            sets.append(ids)
        }
        guard sets.count == 2 else {
            throw PostgresError(kind: .protocolViolation, message: "\(sets.count) results of 2 statements")
        }
        return (sets[0], sets[1])
    }

    /// Whether a statement is one of those that write a plan.
    static func isWrite(_ statement: String?) -> Bool {
        statement == updateLogs.name || statement == insertLogs.name || statement == raiseLastLogFileIDs.name
    }

    static func writes(of plan: LogPlan) -> [PostgresQuery] {
        var queries: [PostgresQuery] = []
        if !plan.updates.isEmpty {
            let records = plan.updates.map(\.record)
            queries.append(
                updateLogs(
                    .int8Array(plan.updates.map(\.logID)),
                    // The number of a temporary record is no part of the log.
                    .int8Array(records.map { $0.isTemporary ? nil : $0.logFileID }),
                    .timestamptzArray(records.map(\.start.microseconds)),
                    .int2Array(records.map(\.finishFlag)),
                    .int4Array(records.map(\.lastIntensity)),
                    .int4Array(records.map(\.treatmentTime)),
                    .jsonbArray(records.map(\.detailData)),
                    .timestamptzArray(plan.updates.map { $0.completedStart?.microseconds })))
        }
        if !plan.inserts.isEmpty {
            let records = plan.inserts
            queries.append(
                insertLogs(
                    .int8Array(records.map(\.deviceID)), .int8Array(records.map(\.childID)),
                    .int8Array(records.map { $0.isTemporary ? nil : $0.logFileID }),
                    .timestamptzArray(records.map(\.start.microseconds)),
                    .int2Array(records.map(\.finishFlag)),
                    .int4Array(records.map(\.lastIntensity)),
                    .int4Array(records.map(\.treatmentTime)),
                    .jsonbArray(records.map(\.detailData))))
        }
        if !plan.lastLogFileIDs.isEmpty {
            let last = plan.lastLogFileIDs.sorted { $0.key < $1.key }
            queries.append(raiseLastLogFileIDs(.int8Array(last.map(\.key)), .int8Array(last.map(\.value))))
        }
        return queries
    }

    /// What the API calls a write that the database rejected; `nil` for any other error, such as a lost connection.
    static func rejection(_ error: PostgresError) -> LUXError? {
        guard error.kind == .server, !error.isUnavailable else { return nil }
        switch error.statement {
        case updateLogs.name: return .updateDeviceLogFailed
        case insertLogs.name: return .createDeviceLogFailed
        default: return nil
        }
    }
}
