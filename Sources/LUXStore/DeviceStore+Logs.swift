import LUX
import Postgres

extension DeviceStore {
    // MARK: What the plan needs

    private static let children = PostgresStatement(
        "devlog_children", "select id, root_user_id from real_users where id = any($1)")

    /// Every endpoint that writes locks its devices, and in the order of their ids; so no two can wait for each other, and
    /// what is read after the lock stays true until the commit.
    private static let lockDevices = PostgresStatement(
        "devlog_lock_devices",
        "select id, unique_id, real_user_id from devices where id = any($1) order by id for no key update")

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

    // MARK: The upload

    /// Stores an upload, whole or not at all, in two round trips whatever its size: lock and read, then write and commit.
    ///
    /// - Returns: what its records did.
    /// - Throws: `LUXError`: what `StoredLogs.authorize` throws, or `.updateDeviceLogFailed` and `.createDeviceLogFailed` when
    ///   the database refuses a log; `PostgresError`.
    package func save(_ upload: LogUpload, userID: Int64) async throws -> LogPlan.Counts {
        do {
            return try await transaction { transaction in
                let stored = try await lockAndRead(upload, in: transaction)
                try stored.authorize(upload, userID: userID)
                let plan = LogPlan(upload, stored: stored)
                try await transaction.commit(Self.writes(of: plan))
                return plan.counts
            }
        } catch {
            throw Self.refusal(error) ?? error
        }
    }

    private func lockAndRead(
        _ upload: LogUpload, in transaction: PostgresTransaction
    ) async throws(PostgresError) -> StoredLogs {
        let deviceIDs = PostgresParameter.int8Array(upload.deviceIDs)
        let starts = upload.temporaryStarts
        let keys = upload.completeKeys
        let results = try await transaction.run([
            Self.children(.int8Array(upload.childIDs)),
            Self.lockDevices(deviceIDs),
            Self.temporaryLogs(deviceIDs),
            Self.completedTemporaries(
                .int8Array(starts.map(\.pair.deviceID)), .int8Array(starts.map(\.pair.childID)),
                .timestamptzArray(starts.map(\.start.microseconds))),
            Self.completeLogs(
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

    private static func writes(of plan: LogPlan) -> [PostgresQuery] {
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

    /// What the API calls a refused write; `nil` for an error that is none, such as a lost connection.
    private static func refusal(_ error: any Error) -> LUXError? {
        guard let error = error as? PostgresError, error.kind == .server, !error.isUnavailable else { return nil }
        switch error.statement {
        case updateLogs.name: return .updateDeviceLogFailed
        case insertLogs.name: return .createDeviceLogFailed
        default: return nil
        }
    }
}
