import LUX
import Postgres

extension DeviceStore {
    static let usageLogStatements = [childLogs, childDeviceLogs]

    /// Maximum size of the `detail_data` of a page, which always has at least one log: one request must not fill the memory.
    private static let pageBytes: Int64 = 1 << 20

    // Both walk device_logs_child_started_idx: a row comparison is an index condition, and so is a device's id, as the index's last column.
    private static let childLogs = page("usage_logs_of_child", where: "real_user_id = $1")
    private static let childDeviceLogs = page(
        "usage_logs_of_child_and_device", where: "real_user_id = $1 and device_id = $8")

    private static func page(_ name: StaticString, where owner: SQL) -> PostgresStatement {
        PostgresStatement(
            name,
            """
            with page as materialized (
                select id, device_id, log_file_id, treatment_date, finish_flag, last_intensity, treatment_time,
                       detail_data::text as detail, created_at, updated_at
                from device_logs
                where \(owner) and treatment_date >= $2 and treatment_date < $3 and (treatment_date, id) < ($4, $5)
                order by treatment_date desc, id desc limit $6),
            measured as (
                select *, count(*) over () as found, row_number() over newest as place,
                       sum(octet_length(detail)) over newest as bytes
                from page window newest as (order by treatment_date desc, id desc))
            select id, device_id, log_file_id, treatment_date, finish_flag::bigint, last_intensity::bigint,
                   treatment_time::bigint, detail, created_at, updated_at, found
            from measured where bytes is null or bytes <= $7 or place = 1
            order by treatment_date desc, id desc
            """)
    }

    /// A page of the logs of a child, temporary ones included.
    ///
    /// - Returns: the logs, and whether older ones follow.
    /// - Throws: `LUXError.notAuthorizedUser` when the child is not the user's; `PostgresError`.
    package func usageLogs(_ query: UsageLogQuery, userID: Int64) async throws -> (logs: [UsageLog], hasMore: Bool) {
        try await requireOwnership(childID: query.childID, userID: userID)
        let from = query.from ?? Timestamp(microseconds: .min)
        let to = query.to ?? Timestamp(microseconds: .max)
        guard from < to else { return ([], false) }
        let after = query.after ?? UsageLogPosition(start: Timestamp(microseconds: .max), id: .max)
        let (child, first, last) = (PostgresParameter.int8(query.childID), from.microseconds, to.microseconds)
        // One more than requested shows whether there are more.
        let (start, id, limit) = (after.start.microseconds, after.id, query.limit + 1)
        let statement =
            if let deviceID = query.deviceID {
                Self.childDeviceLogs(
                    child, .timestamptz(first), .timestamptz(last), .timestamptz(start), .int8(id), .int8(limit),
                    .int8(Self.pageBytes), .int8(deviceID))
            } else {
                Self.childLogs(
                    child, .timestamptz(first), .timestamptz(last), .timestamptz(start), .int8(id), .int8(limit),
                    .int8(Self.pageBytes))
            }
        let result = try await read(statement)
        var logs: [UsageLog] = []
        var found: Int64 = 0
        for row in result.rows {
            found = try row.int8(10)
            guard logs.count < Int(query.limit) else { break }
            logs.append(try UsageLog(row: row, childID: query.childID))
        }
        return (logs, found > Int64(logs.count))
    }
}

extension UsageLog {
    fileprivate init(row: PostgresRow, childID: Int64) throws(PostgresError) {
        self.init(
            position: UsageLogPosition(
                start: Timestamp(microseconds: try row.timestamptz(3)), id: try row.int8(0)),
            deviceID: try row.int8(1), childID: childID, logFileID: try row.int8OrNull(2),
            finishFlag: try row.int8OrNull(4), lastIntensity: try row.int8OrNull(5),
            treatmentTime: try row.int8OrNull(6), detailData: try row.textOrNull(7),
            createdAt: Timestamp(microseconds: try row.timestamptz(8)),
            updatedAt: Timestamp(microseconds: try row.timestamptz(9)))
    }
}
