import Postgres

/// The SQL of the support commands for devices. Owned by one command and used on its thread; every method throws `PostgresError`.
package struct SupportStore {
    /// A device as the support commands need it, and whose it is.
    package struct Device: Sendable {
        package let id: Int64
        package let uniqueID: String
        package let serialCode: String?
        package let macID: String?
        package let childID: Int64?
        package let userID: Int64?
        package let lastLogFileID: Int64
    }

    /// A row of `support_actions` in words and as JSON.
    package struct Action: Sendable {
        package let text: String
        package let json: String
    }

    package let session: PostgresSession

    package init(session: PostgresSession) {
        self.session = session
    }

    /// - Parameter isLocked: whether uploads and other changes wait until the transaction ends.
    package func device(uniqueID: String, isLocked: Bool) throws(PostgresError) -> Device? {
        let lock = isLocked ? "for no key update of d" : ""
        return try devices("d.unique_id = $1 \(lock)", [uniqueID]).first
    }

    /// The devices that are connected to a child, locked until the transaction ends.
    package func lockDevices(ofChild id: Int64) throws(PostgresError) -> [Device] {
        try devices("d.real_user_id = $1 order by d.id for no key update of d", [String(id)])
    }

    private func devices(_ condition: String, _ parameters: [String]) throws(PostgresError) -> [Device] {
        let rows = try session.query(
            """
            select d.id, d.unique_id, d.serial_code, d.mac_id, d.real_user_id, c.root_user_id, d.last_log_file_id
            from devices d left join real_users c on c.id = d.real_user_id where \(condition)
            """, parameters)
        return rows.compactMap { row in
            guard row.count == 7, let id = row[0].flatMap({ Int64($0) }), let uniqueID = row[1] else { return nil }
            return Device(
                id: id, uniqueID: uniqueID, serialCode: row[2], macID: row[3], childID: row[4].flatMap { Int64($0) },
                userID: row[5].flatMap { Int64($0) }, lastLogFileID: row[6].flatMap { Int64($0) } ?? 0)
        }
    }

    /// Disconnects as the API does.
    package func disconnect(_ device: Device) throws(PostgresError) {
        try session.query(DeviceStore.disconnectDevice.sql, [String(device.id)])
    }

    package func setLastLogFileID(of device: Device, to number: Int64) throws(PostgresError) {
        try session.query(
            "update devices set last_log_file_id = $2 where id = $1", [String(device.id), String(number)])
    }

    package func setCodes(of device: Device, serialCode: String?, macID: String?) throws(PostgresError) {
        try session.query(
            "update devices set serial_code = $2, mac_id = $3 where id = $1", [String(device.id), serialCode, macID])
    }

    /// Writes a row of `support_actions`.
    ///
    /// - Parameter detail: a JSON object.
    /// - Returns: the row as JSON.
    package func record(
        _ action: String, of device: Device, by operatorName: String, detail: String
    ) throws(PostgresError) -> String {
        let rows = try session.query(
            """
            insert into support_actions (device_id, unique_id, action, operator, detail)
            values ($1, $2, $3, $4, $5) returning row_to_json(support_actions)
            """, [String(device.id), device.uniqueID, action, operatorName, detail])
        return rows.first?.first.flatMap { $0 } ?? ""
    }

    /// The last five actions, the newest first.
    package func lastActions(of device: Device) throws(PostgresError) -> [Action] {
        try session.query(
            """
            select concat_ws(' ', created_at, operator, action, detail), row_to_json(a) from support_actions a
            where device_id = $1 order by id desc limit 5
            """, [String(device.id)]
        ).map { Action(text: $0.first.flatMap { $0 } ?? "", json: $0.last.flatMap { $0 } ?? "null") }
    }

    /// The facts about a device, by name, in the order in which it is shown; numbers as text.
    package func details(of device: Device) throws(PostgresError) -> [(name: String, value: String?)] {
        let row = try session.query(Self.details, [String(device.id)]).first ?? []
        return zip(Self.detailNames, row).map { (name: $0, value: $1) }
    }

    private static let detailNames = [
        "project", "hardware", "firmware", "created_at", "device_alias", "connected_at",
        "highest_stored_log_file_id", "complete_logs", "temporary_logs", "last_upload",
    ]

    private static let details = """
        select p.name, h.name, f.version, d.created_at, d.device_alias, d.connected_at, l.highest, l.complete, l.temporary,
               l.last_upload
        from devices d
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
}
