import LUX
import Postgres

/// Reads in two forms: for one call, and for all calls of a turn. In the latter, `offset 0` forces a look-up by index for each
/// call: a plain join that is planned while the table is empty could scan a whole index, and a prepared statement keeps its
/// plan.
extension DeviceStore {
    static let readStatements = [childDevice, allDevices, checkDevice].flatMap(\.statements)

    private static let childDevice = GroupableRead(
        one: PostgresStatement(
            "child_device",
            """
            select \(Device.columns)
            from real_users r
            left join lateral (select * from devices where real_user_id = r.id
                               order by connected_at desc nulls last, id desc limit 1) d on true
            where r.id = $1 and r.root_user_id = $2
            """),
        many: PostgresStatement(
            "child_device_many",
            """
            select \(Device.columns), k.n
            from unnest($1::bigint[], $2::bigint[]) with ordinality as k (child_id, user_id, n)
            cross join lateral (select id from real_users where id = k.child_id and root_user_id = k.user_id offset 0) r
            left join lateral (select * from devices where real_user_id = r.id
                               order by connected_at desc nulls last, id desc limit 1) d on true
            order by k.n
            """))

    /// The device of a child that was connected last; of several connected at the same time the one with the highest id.
    ///
    /// - Throws: `LUXError.notAuthorizedUser` when the child is not the user's, `LUXError.deviceNotFound` when it has no
    ///   device; `PostgresError`.
    package func childDevice(childID: Int64, userID: Int64) async throws -> Device {
        let rows = try await pool.read(Self.childDevice, .int8(childID), .int8(userID), deadline: deadline)
        guard let row = rows.first else { throw LUXError.notAuthorizedUser }
        var columns = PostgresColumns(row)
        guard let device = try Device.ifPresent(in: &columns) else { throw LUXError.deviceNotFound }
        return device
    }

    private static let ownerColumns: SQL = "f.version, r.root_user_id, r.first_name, r.last_name, r.birthdate, r.gender"

    private static let allDevices = GroupableRead(
        one: PostgresStatement(
            "all_devices",
            """
            select \(Device.columns), \(ownerColumns)
            from users u
            left join (real_users r
                       join devices d on d.real_user_id = r.id
                       left join firmwares f on f.id = d.now_firmware_id) on r.root_user_id = u.id
            where u.id = $1
            order by r.id, d.id
            """),
        many: PostgresStatement(
            "all_devices_many",
            """
            select \(Device.columns), \(ownerColumns), k.n
            from unnest($1::bigint[]) with ordinality as k (user_id, n)
            cross join lateral (select id from users where id = k.user_id offset 0) u
            left join lateral (select * from real_users where root_user_id = u.id offset 0) r
                      join lateral (select * from devices where real_user_id = r.id offset 0) d on true
                      on true
            left join lateral (select version from firmwares where id = d.now_firmware_id offset 0) f on true
            order by k.n, r.id, d.id
            """))

    /// The connected devices of all children of a user, by child, then by device.
    ///
    /// - Throws: `LUXError.userIsNone` when there is no such user; `PostgresError`.
    package func allDevices(userID: Int64) async throws -> [ChildDevice] {
        let rows = try await pool.read(Self.allDevices, .int8(userID), deadline: deadline)
        guard rows.count > 0 else { throw LUXError.userIsNone }
        var devices: [ChildDevice] = []
        devices.reserveCapacity(rows.count)
        for row in rows.rows {
            var columns = PostgresColumns(row)
            // A user without any device is one row of NULLs.
            guard let device = try Device.ifPresent(in: &columns) else { continue }
            devices.append(
                ChildDevice(
                    device: device,
                    firmwareVersion: try columns.textOrNull(),
                    rootUserID: try columns.int8(),
                    firstName: try columns.textOrNull(),
                    lastName: try columns.textOrNull(),
                    birthdate: try columns.textOrNull(),
                    gender: try columns.textOrNull()))
        }
        return devices
    }

    private static let checkDevice = GroupableRead(
        one: PostgresStatement(
            "check_device",
            """
            select \(Device.columns), r.root_user_id
            from users u
            left join devices d on d.unique_id = $2
            left join real_users r on r.id = d.real_user_id
            where u.id = $1
            """),
        many: PostgresStatement(
            "check_device_many",
            """
            select \(Device.columns), r.root_user_id, k.n
            from unnest($1::bigint[], $2::text[]) with ordinality as k (user_id, unique_id, n)
            cross join lateral (select id from users where id = k.user_id offset 0) u
            left join lateral (select * from devices where unique_id = k.unique_id offset 0) d on true
            left join lateral (select root_user_id from real_users where id = d.real_user_id offset 0) r on true
            order by k.n
            """))

    /// A device and whether this user may connect to it.
    ///
    /// - Throws: `LUXError.notAuthorizedUser` when there is no such user, `.notFoundDevice`, or
    ///   `.alreadyConnectedDevice` when it is connected to another user's child; `PostgresError`.
    package func checkDevice(uniqueID: String, userID: Int64) async throws -> (device: Device, connected: Bool) {
        let rows = try await pool.read(Self.checkDevice, .int8(userID), .text(uniqueID), deadline: deadline)
        guard let row = rows.first else { throw LUXError.notAuthorizedUser }
        var columns = PostgresColumns(row)
        guard let device = try Device.ifPresent(in: &columns) else { throw LUXError.notFoundDevice }
        guard device.realUserID != nil else { return (device, false) }
        guard try columns.int8OrNull() == userID else { throw LUXError.alreadyConnectedDevice }
        return (device, true)
    }
}
