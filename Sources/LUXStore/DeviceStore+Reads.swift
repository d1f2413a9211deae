import LUX
import Postgres

extension DeviceStore {
    private static let childDevice = PostgresStatement(
        "child_device",
        """
        select d.id, d.real_user_id, d.project_id, d.hardware_id, d.now_firmware_id, d.unique_id, d.serial_code,
               d.device_alias, d.mac_id, d.created_at, d.last_log_file_id
        from real_users r
        left join lateral (select * from devices where real_user_id = r.id
                           order by connected_at desc nulls last, id desc limit 1) d on true
        where r.id = $1 and r.root_user_id = $2
        """)

    /// The device of a child that was connected last; of several connected at once the one with the highest id.
    ///
    /// - Throws: `LUXError.notAuthorizedUser` when the child is not the user's, `LUXError.deviceNotFound` when it has no
    ///   device; `PostgresError`.
    package func childDevice(childID: Int64, userID: Int64) async throws -> Device {
        guard let row = try await read(Self.childDevice(.int8(childID), .int8(userID))).first else {
            throw LUXError.notAuthorizedUser
        }
        guard try row.int8OrNull(0) != nil else { throw LUXError.deviceNotFound }
        return try Device(row: row)
    }

    private static let allDevices = PostgresStatement(
        "all_devices",
        """
        select d.id, d.real_user_id, d.project_id, d.hardware_id, d.now_firmware_id, d.unique_id, d.serial_code,
               d.device_alias, d.mac_id, d.created_at, d.last_log_file_id,
               f.version, r.root_user_id, r.first_name, r.last_name, r.birthdate, r.gender
        from users u
        left join (real_users r
                   join devices d on d.real_user_id = r.id
                   left join firmwares f on f.id = d.now_firmware_id) on r.root_user_id = u.id
        where u.id = $1
        order by r.id, d.id
        """)

    /// The connected devices of all children of a user, by child, then by device.
    ///
    /// - Throws: `LUXError.userIsNone` when there is no such user; `PostgresError`.
    package func allDevices(userID: Int64) async throws -> [ChildDevice] {
        let result = try await read(Self.allDevices(.int8(userID)))
        guard result.count > 0 else { throw LUXError.userIsNone }
        var devices: [ChildDevice] = []
        for row in result.rows {
            // A user without any device is one row of NULLs.
            guard try row.int8OrNull(0) != nil else { continue }
            devices.append(
                ChildDevice(
                    device: try Device(row: row),
                    firmwareVersion: try row.textOrNull(11),
                    rootUserID: try row.int8(12),
                    firstName: try row.textOrNull(13),
                    lastName: try row.textOrNull(14),
                    birthdate: try row.textOrNull(15),
                    gender: try row.textOrNull(16)))
        }
        return devices
    }

    private static let checkDevice = PostgresStatement(
        "check_device",
        """
        select d.id, d.real_user_id, d.project_id, d.hardware_id, d.now_firmware_id, d.unique_id, d.serial_code,
               d.device_alias, d.mac_id, d.created_at, d.last_log_file_id, r.root_user_id
        from users u
        left join devices d on d.unique_id = $2
        left join real_users r on r.id = d.real_user_id
        where u.id = $1
        """)

    /// A device and whether this user may connect to it.
    ///
    /// - Throws: `LUXError.notAuthorizedUser` when there is no such user, `.notFoundDevice`, or
    ///   `.alreadyConnectedDevice` when it is connected to another user's child; `PostgresError`.
    package func checkDevice(uniqueID: String, userID: Int64) async throws -> (device: Device, connected: Bool) {
        guard let row = try await read(Self.checkDevice(.int8(userID), .text(uniqueID))).first else {
            throw LUXError.notAuthorizedUser
        }
        guard try row.int8OrNull(0) != nil else { throw LUXError.notFoundDevice }
        let device = try Device(row: row)
        guard device.realUserID != nil else { return (device, false) }
        guard try row.int8OrNull(11) == userID else { throw LUXError.alreadyConnectedDevice }
        return (device, true)
    }
}
