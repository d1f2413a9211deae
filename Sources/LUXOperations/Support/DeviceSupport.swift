import Postgres

/// The support commands for a device. Each action leaves a row in `support_actions`, in the same transaction.
package struct DeviceSupport {
    /// Why an action was not done.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case unknownDevice(String)
        case notConnected(String)
        case notMigrated

        package var description: String {
            switch self {
            case .unknownDevice(let uniqueID): "there is no device \"\(uniqueID)\""
            case .notConnected(let uniqueID): "the device \"\(uniqueID)\" is connected to nobody"
            case .notMigrated: "the database has no table support_actions; run lux-server migrate"
            }
        }
    }

    /// What was done: the row of `support_actions` as JSON, and lines for the operator.
    package struct Report: Equatable {
        package var audit: String
        package var lines: [String]
    }

    package let session: PostgresSession
    /// Who acts.
    package let name: String

    package init(session: PostgresSession, name: String) {
        self.session = session
        self.name = name
    }

    /// Everything that helps to understand a device.
    ///
    /// - Throws: ``Refusal``, `PostgresError`.
    package func show(_ uniqueID: String) throws -> Report {
        try transaction {
            let device = try device(uniqueID, lock: "")
            let row = try session.query(Self.details, [device.id]).first ?? []
            let lines = zip(Self.detailNames, row).map { "\($0): \($1 ?? "none")" }
            let numbers = try DeviceNumbers(session: session, deviceID: device.id).lines()
            let actions = try session.query(Self.lastActions, [device.id]).map { row in
                "action: " + row.map { $0 ?? "" }.joined(separator: " ")
            }
            return Report(audit: try record("show", device, "'{}'::jsonb", []), lines: lines + numbers + actions)
        }
    }

    /// Disconnects a device as its user can: alias and time of connection go, logs and their counter stay.
    ///
    /// - Throws: ``Refusal``, `PostgresError`.
    package func disconnect(_ uniqueID: String) throws -> Report {
        try transaction {
            let device = try device(uniqueID, lock: "for no key update")
            guard let child = device.child else { throw Refusal.notConnected(uniqueID) }
            try session.query(
                "update devices set real_user_id = null, device_alias = null, connected_at = null where id = $1",
                [device.id])
            // Not the alias: readers of the trail must not read it either.
            let detail = "jsonb_build_object('real_user_id', $5::bigint)"
            return Report(
                audit: try record("disconnect", device, detail, [child]),
                lines: ["disconnected \(uniqueID) from child \(child)"])
        }
    }

    /// Sets `last_log_file_id`, which uploads only raise.
    ///
    /// - Throws: ``Refusal``, `PostgresError`.
    package func resetLogCounter(_ uniqueID: String, to number: Int64) throws -> Report {
        try transaction {
            let device = try device(uniqueID, lock: "for no key update")
            try session.query(
                "update devices set last_log_file_id = $2 where id = $1", [device.id, String(number)])
            let detail = "jsonb_build_object('from', $5::bigint, 'to', $6::bigint)"
            return Report(
                audit: try record("reset-log-counter", device, detail, [device.lastLogFileID, String(number)]),
                lines: ["last_log_file_id of \(uniqueID) was \(device.lastLogFileID) and is \(number)"])
        }
    }

    // MARK: Parts

    private struct Found {
        package var id: String
        package var uniqueID: String
        package var child: String?
        package var lastLogFileID: String
    }

    private func device(_ uniqueID: String, lock: String) throws -> Found {
        let rows = try session.query(
            "select id, real_user_id, last_log_file_id from devices where unique_id = $1 \(lock)", [uniqueID])
        guard let row = rows.first, row.count == 3, let id = row[0], let lastLogFileID = row[2] else {
            throw Refusal.unknownDevice(uniqueID)
        }
        return Found(id: id, uniqueID: uniqueID, child: row[1], lastLogFileID: lastLogFileID)
    }

    /// - Parameter detail: SQL over the values from `$5` on.
    private func record(
        _ action: String, _ device: Found, _ detail: String, _ values: [String]
    ) throws(PostgresError) -> String {
        let rows = try session.query(
            """
            insert into support_actions (device_id, unique_id, action, operator, detail)
            values ($1, $2, $3, $4, \(detail)) returning row_to_json(support_actions)
            """, [device.id, device.uniqueID, action, name] + values)
        return rows.first?.first.flatMap { $0 } ?? ""
    }

    private func transaction(_ body: () throws -> Report) throws -> Report {
        do {
            return try session.transaction(body)
        } catch let error as PostgresError where error.sqlState == "42P01" {
            throw Refusal.notMigrated
        }
    }

    private static let detailNames = [
        "id", "unique_id", "serial_code", "mac_id", "project", "hardware", "firmware", "created_at", "real_user_id",
        "root_user_id", "device_alias", "connected_at", "last_log_file_id", "highest stored log_file_id",
        "complete logs", "temporary logs", "last upload",
    ]

    private static let details = """
        select d.id, d.unique_id, d.serial_code, d.mac_id, p.name, h.name, f.version, d.created_at, d.real_user_id,
               c.root_user_id, d.device_alias, d.connected_at, d.last_log_file_id, l.highest, l.complete, l.temporary,
               l.last_upload
        from devices d
        left join real_users c on c.id = d.real_user_id
        left join projects p on p.id = d.project_id
        left join hardwares h on h.id = d.hardware_id
        left join firmwares f on f.id = d.now_firmware_id,
        lateral (
            select max(log_file_id) filter (where finish_flag is not null) as highest, count(finish_flag) as complete,
                   count(*) - count(finish_flag) as temporary, max(updated_at) as last_upload
            from (
                -- Each part has a partial index; all together have none.
                select log_file_id, finish_flag, updated_at from device_logs
                where device_id = d.id and finish_flag is not null and log_file_id is not null
                union all
                select log_file_id, finish_flag, updated_at from device_logs
                where device_id = d.id and finish_flag is not null and log_file_id is null
                union all
                select log_file_id, finish_flag, updated_at from device_logs
                where device_id = d.id and finish_flag is null
            ) parts
        ) l
        where d.id = $1
        """

    private static let lastActions = """
        select created_at, operator, action, detail from support_actions where device_id = $1 order by id desc limit 5
        """
}
