import LUX
import Postgres

extension DeviceStore {
    static let logStatements = [
        readChildrenAndLockDevices, latestStarts, devices, lockLogs, lockChildren, temporaryLogs,
        temporaryLogsAndCompletions, completeLogs, updateLogs, insertLogs, updateCounters,
    ]

    // MARK: Reads for the plan

    /// The children, whose rows have no counter, and the devices.
    ///
    /// Every endpoint that writes locks its devices, so what is read after the lock stays true until the commit. Rows that
    /// are locked by another transaction are left out, without waiting; see `UploadBatch`. Devices of other accounts are
    /// not locked, so that an account cannot delay the uploads of a device by naming it.
    private static let readChildrenAndLockDevices = PostgresStatement(
        "devlog_lock",
        """
        select id, null as unique_id, root_user_id, null as last_log_file_id, null as log_counter_restart
        from real_users where id = any($1::bigint[])
        union all
        select * from (
            select id, unique_id, real_user_id, last_log_file_id, log_counter_restart
            from devices
            where id = any($2::bigint[])
              and (select root_user_id from real_users r where r.id = devices.real_user_id) = any($3::bigint[])
            for no key update skip locked) d
        """)

    /// A separate statement: it must see the logs that were committed during the wait for the locks.
    private static let latestStarts = PostgresStatement(
        "devlog_latest_starts",
        """
        select k.id, l.treatment_date
        from unnest($1::bigint[]) as k (id),
             lateral (select treatment_date from device_logs
                      where device_id = k.id and finish_flag is not null and log_file_id is not null
                      order by treatment_date desc limit 1) l
        """)

    private static let devices = PostgresStatement(
        "devlog_devices",
        """
        select id, unique_id, real_user_id, last_log_file_id, log_counter_restart from devices where id = any($1)
        """)

    private static let lockLogs = PostgresStatement(
        "devlog_lock_logs", "select id from device_logs where id = any($1) for no key update skip locked")

    // As the check of a new log's parents does (migration 0009).
    private static let lockChildren = PostgresStatement(
        "devlog_lock_children", "select id from real_users where id = any($1) for key share skip locked")

    private static let selectTemporaryLogs: SQL = """
        select id, device_id, real_user_id, treatment_date, treatment_time::bigint, null::bigint as is_same_treatment
        from device_logs
        where device_id = any($1) and finish_flag is null
        """

    private static let temporaryLogs = PostgresStatement("devlog_temporary_logs", selectTemporaryLogs)

    /// The temporary logs of devices and, without an id, the starts at which a temporary log was completed.
    // `offset 0` forces a look-up by index for each device: a plain join that is planned while the table is empty could scan a
    // whole index, and a prepared statement keeps its plan.
    private static let temporaryLogsAndCompletions = PostgresStatement(
        "devlog_temporary_logs_and_completions",
        """
        \(selectTemporaryLogs)
        union all
        select null, k.device_id, k.real_user_id, k.start, l.treatment_time::bigint, l.is_same_treatment::integer::bigint
        from unnest($2::bigint[], $3::bigint[], $4::timestamptz[]) as k (device_id, real_user_id, start),
             lateral (select bool_or(treatment_date between k.start - $5::bigint * interval '1 second'
                                                        and k.start + $5::bigint * interval '1 second')
                                 as is_same_treatment,
                             max(temp_treatment_time) as treatment_time
                      from device_logs
                      where device_id = k.device_id and real_user_id = k.real_user_id
                        and temp_treatment_date = k.start and temp_treatment_date is not null
                        and finish_flag is not null
                      offset 0) l
        where l.is_same_treatment is not null
        """)

    private static let completeLogs = PostgresStatement(
        "devlog_complete_logs",
        """
        select l.id, l.device_id, l.real_user_id, l.log_file_id, l.treatment_date
        from unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) as k (device_id, log_file_id, start),
             lateral (select * from device_logs
                      where device_id = k.device_id and treatment_date = k.start and log_file_id = k.log_file_id
                        and log_file_id is not null and finish_flag is not null
                      offset 0) l
        union all
        select l.id, l.device_id, l.real_user_id, l.log_file_id, l.treatment_date
        from unnest($4::bigint[], $5::timestamptz[]) as k (device_id, start),
             lateral (select * from device_logs
                      where device_id = k.device_id and treatment_date = k.start
                        and log_file_id is null and finish_flag is not null
                      offset 0) l
        """)

    // MARK: Writes of the plan. Their time is that of the statement, since the transaction starts before the wait for locks.

    // `detail_data` is compared as it is stored: for `=`, 1.0 and 1.00 are equal, and as text a number would be written out.
    private static let updateLogs = PostgresStatement(
        "update_device_logs",
        """
        update device_logs l
        set log_file_id = n.log_file_id, treatment_date = n.start, finish_flag = n.finish_flag,
            last_intensity = n.last_intensity, treatment_time = n.treatment_time, detail_data = n.detail_data,
            temp_treatment_date = coalesce(n.completed_start, l.temp_treatment_date),
            temp_treatment_time =
                case when n.completed_start is null then l.temp_treatment_time else n.completed_time end,
            updated_at = statement_timestamp()
        from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::smallint[], $5::integer[], $6::integer[],
                    $7::jsonb[], $8::timestamptz[], $9::integer[])
             as n (id, log_file_id, start, finish_flag, last_intensity, treatment_time, detail_data, completed_start,
                   completed_time)
        where l.id = any($1) and l.id = n.id
          and ((l.log_file_id, l.treatment_date, l.finish_flag, l.last_intensity, l.treatment_time)
               is distinct from (n.log_file_id, n.start, n.finish_flag, n.last_intensity, n.treatment_time)
               or row(l.detail_data)::record operator(pg_catalog.*<>) row(n.detail_data)::record)
        """)

    // In the select list the arrays are read in step; in the from clause each would first be copied.
    private static let insertLogs = PostgresStatement(
        "insert_device_logs",
        """
        insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, last_intensity,
                                 treatment_time, detail_data, created_at, updated_at)
        select unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::timestamptz[]),
               unnest($5::smallint[]), unnest($6::integer[]), unnest($7::integer[]), unnest($8::jsonb[]),
               statement_timestamp(), statement_timestamp()
        """)

    private static let updateCounters = PostgresStatement(
        "update_log_counters",
        """
        update devices d set last_log_file_id = n.last_log_file_id, log_counter_restart = n.restart
        from unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) as n (id, last_log_file_id, restart)
        where d.id = any($1) and d.id = n.id
        """)

    // MARK: The steps of UploadBatch

    /// Locks the devices of uploads and reads what their plans need.
    ///
    /// - Parameter userIDs: the accounts whose uploads they are.
    /// - Returns: what is stored, without the devices that another transaction has locked, that are connected to a child of
    ///   another account or to none, or that do not exist.
    static func lockAndRead(
        _ uploads: [LogUpload], userIDs: [Int64], in transaction: PostgresTransaction
    ) async throws(PostgresError) -> StoredLogs {
        let deviceIDs = PostgresParameter.int8Array(distinct(uploads.flatMap(\.deviceIDs)))
        let numberedDeviceIDs = distinct(uploads.flatMap(\.numberedDeviceIDs))
        let starts = uploads.flatMap(\.temporaryStarts)
        let keys = uploads.flatMap(\.completeKeys)
        // A statement without keys would find nothing at the same cost as the others.
        var reads: [(query: PostgresQuery, add: (PostgresResult, inout StoredLogs) throws(PostgresError) -> Void)] = [
            (
                readChildrenAndLockDevices(
                    .int8Array(distinct(uploads.flatMap(\.childIDs))), deviceIDs, .int8Array(userIDs)),
                { (result, stored) throws(PostgresError) in try stored.addChildrenAndDevices(result) }
            )
        ]
        let temporary =
            starts.isEmpty
            ? temporaryLogs(deviceIDs)
            : temporaryLogsAndCompletions(
                deviceIDs, .int8Array(starts.map(\.pair.deviceID)), .int8Array(starts.map(\.pair.childID)),
                .timestamptzArray(starts.map(\.start.microseconds)), .int8(CompletedTemporary.sameTreatment))
        reads.append((temporary, { (result, stored) throws(PostgresError) in try stored.addTemporaryLogs(result) }))
        if !numberedDeviceIDs.isEmpty {
            reads.append(
                (
                    latestStarts(.int8Array(numberedDeviceIDs)),
                    { (result, stored) throws(PostgresError) in try stored.addLatestStarts(result) }
                ))
        }
        if !keys.isEmpty {
            let numbered = keys.filter { $0.logFileID != nil }
            let unnumbered = keys.filter { $0.logFileID == nil }
            let query = completeLogs(
                .int8Array(numbered.map(\.deviceID)), .int8Array(numbered.map(\.logFileID)),
                .timestamptzArray(numbered.map(\.start.microseconds)), .int8Array(unnumbered.map(\.deviceID)),
                .timestamptzArray(unnumbered.map(\.start.microseconds)))
            reads.append((query, { (result, stored) throws(PostgresError) in try stored.addCompleteLogs(result) }))
        }
        let results = try await transaction.run(reads.map(\.query))
        guard results.count == reads.count else {
            let message = "\(results.count) results of \(reads.count) statements"
            throw PostgresError(kind: .protocolViolation, message: message)
        }
        var stored = StoredLogs()
        for (result, read) in zip(results, reads) { try read.add(result, &stored) }
        return stored
    }

    /// Devices as they are visible without a lock.
    static func readDevices(
        _ ids: [Int64], in transaction: PostgresTransaction
    ) async throws(PostgresError) -> [Int64: StoredLogs.Device] {
        guard !ids.isEmpty else { return [:] }
        var found: [Int64: StoredLogs.Device] = [:]
        for result in try await transaction.run([devices(.int8Array(ids))]) {
            for row in result.rows { found[try row.int8(0)] = try StoredLogs.Device(row: row) }
        }
        return found
    }

    /// Locks those logs and children that no other transaction has locked.
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
        statement == updateLogs.name || statement == insertLogs.name || statement == updateCounters.name
    }

    static func writes(of plan: LogPlan) -> [PostgresQuery] {
        var queries: [PostgresQuery] = []
        if !plan.updates.isEmpty {
            let updates = plan.updates
            queries.append(
                updateLogs(
                    .int8Array(updates.column { $0.logID }),
                    // The number of a temporary record is not part of the log.
                    .int8Array(updates.column { $0.record.isTemporary ? nil : $0.record.logFileID }),
                    .timestamptzArray(updates.column { $0.record.start.microseconds }),
                    .int2Array(updates.column { $0.record.finishFlag }),
                    .int4Array(updates.column { $0.record.lastIntensity }),
                    .int4Array(updates.column { $0.record.treatmentTime }),
                    .jsonbArray(updates.column { $0.record.detailData }),
                    .timestamptzArray(updates.column { $0.completed?.start.microseconds }),
                    .int4Array(updates.column { $0.completed?.treatmentTime })))
        }
        if !plan.inserts.isEmpty {
            let records = plan.inserts
            queries.append(
                insertLogs(
                    .int8Array(records.column { $0.deviceID }), .int8Array(records.column { $0.childID }),
                    .int8Array(records.column { $0.isTemporary ? nil : $0.logFileID }),
                    .timestamptzArray(records.column { $0.start.microseconds }),
                    .int2Array(records.column { $0.finishFlag }),
                    .int4Array(records.column { $0.lastIntensity }),
                    .int4Array(records.column { $0.treatmentTime }),
                    .jsonbArray(records.column { $0.detailData })))
        }
        if !plan.counters.isEmpty {
            let counters = plan.counters.sorted { $0.key < $1.key }
            queries.append(
                updateCounters(
                    .int8Array(counters.map(\.key)), .int8Array(counters.map(\.value.last)),
                    .timestamptzArray(counters.map { $0.value.restart?.microseconds })))
        }
        return queries
    }

    /// The API page's error for a write that the database rejects, by the name of the statement.
    static func rejection(ofStatement name: String?) -> LUXError? {
        switch name {
        case updateLogs.name: .updateDeviceLogFailed
        case insertLogs.name: .createDeviceLogFailed
        default: nil
        }
    }
}

extension StoredLogs.Device {
    /// - Parameter row: `id, unique_id, real_user_id, last_log_file_id, log_counter_restart`.
    init(row: PostgresRow) throws(PostgresError) {
        self.init(
            uniqueID: try row.text(1), realUserID: try row.int8OrNull(2),
            counter: LogCounter(
                last: try row.int8(3), restart: try row.timestamptzOrNull(4).map { Timestamp(microseconds: $0) }))
    }
}
