import LUX
import Postgres

extension Device {
    /// The columns of ``init(from:)`` in their order, of a table or subquery `d`.
    static let columns: SQL = """
        d.id, d.real_user_id, d.project_id, d.hardware_id, d.now_firmware_id, d.unique_id, d.serial_code, d.device_alias,
        d.mac_id, d.created_at, d.last_log_file_id
        """

    /// Reads ``columns``; later columns of a row are left to the caller.
    ///
    /// - Throws: `PostgresError`.
    init(from row: inout PostgresColumns) throws(PostgresError) {
        self.init(
            id: try row.int8(),
            realUserID: try row.int8OrNull(),
            projectID: try row.int8OrNull(),
            hardwareID: try row.int8OrNull(),
            nowFirmwareID: try row.int8OrNull(),
            uniqueID: try row.text(),
            serialCode: try row.textOrNull(),
            deviceAlias: try row.textOrNull(),
            macID: try row.textOrNull(),
            createdAt: Timestamp(microseconds: try row.timestamptz()),
            lastLogFileID: try row.int8())
    }

    /// Reads ``columns`` of an outer join: `nil` when there is no device, whatever the later columns contain.
    ///
    /// - Throws: `PostgresError`.
    static func ifPresent(in row: inout PostgresColumns) throws(PostgresError) -> Device? {
        var id = row
        return try id.int8OrNull() == nil ? nil : try Device(from: &row)
    }
}
