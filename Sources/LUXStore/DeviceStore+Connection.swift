import LUX
import Postgres

extension DeviceStore {
    static let connectionStatements = [
        childOwner, lockDeviceByUniqueID, connectDevice, disconnectDevice, lockDeviceByID, renameDevice,
    ]

    private static let childOwner = PostgresStatement(
        "child_owner", "select 1::bigint from real_users where id = $1 and root_user_id = $2")

    /// Checks that a child belongs to an account.
    ///
    /// - Throws: `LUXError.notAuthorizedUser`; `PostgresError`.
    package func requireOwnership(childID: Int64, userID: Int64) async throws {
        guard try await read(Self.childOwner(.int8(childID), .int8(userID))).first != nil else {
            throw LUXError.notAuthorizedUser
        }
    }

    private static let lockDeviceByUniqueID = PostgresStatement(
        "lock_device_by_unique_id",
        "select id, real_user_id, serial_code, mac_id from devices where unique_id = $1 for no key update")

    // Of two devices the one connected last is the child's: the time is that of the statement, after the wait for the lock.
    private static let connectDevice = PostgresStatement(
        "connect_device",
        """
        update devices
        set real_user_id = $2, connected_at = statement_timestamp(), serial_code = coalesce(serial_code, $3),
            mac_id = coalesce(mac_id, $4)
        where id = $1
        """)

    /// Connects a device to a child and records a serial code or MAC address that was not recorded yet. Connected to this
    /// child already, it changes nothing.
    ///
    /// - Throws: `LUXError`: `.notAuthorizedUser`, `.notFoundDevice`, `.alreadyConnectedDevice`; `PostgresError`.
    package func connect(
        uniqueID: String, serialCode: String, macID: String, childID: Int64, userID: Int64
    ) async throws {
        do {
            try await lockAndConnect(
                uniqueID: uniqueID, serialCode: serialCode, macID: macID, childID: childID, userID: userID)
        } catch let error as PostgresError where error.sqlState == "23503" {
            // The child was deleted between the check and the commit.
            throw LUXError.notAuthorizedUser
        }
    }

    private func lockAndConnect(
        uniqueID: String, serialCode: String, macID: String, childID: Int64, userID: Int64
    ) async throws {
        try await transaction { transaction in
            let device = try await lockDevice(uniqueID: uniqueID, childID: childID, userID: userID, in: transaction)
            guard let device else { throw LUXError.notFoundDevice }
            guard try device.canConnect(childID: childID, serialCode: serialCode, macID: macID) else { return }
            try await transaction.commit([
                Self.connectDevice(.int8(device.id), .int8(childID), .text(serialCode), .text(macID))
            ])
        }
    }

    static let disconnectDevice = PostgresStatement(
        "disconnect_device",
        "update devices set real_user_id = null, device_alias = null, connected_at = null where id = $1")

    /// Disconnects a device from a child. Its alias is cleared, since the next owner must not read it; its logs stay.
    ///
    /// - Throws: `LUXError`: `.notAuthorizedUser`, `.notFoundDevice` when it is unknown or not connected to this child;
    ///   `PostgresError`.
    package func disconnect(uniqueID: String, childID: Int64, userID: Int64) async throws {
        try await transaction { transaction in
            let device = try await lockDevice(uniqueID: uniqueID, childID: childID, userID: userID, in: transaction)
            guard let device, device.realUserID == childID else { throw LUXError.notFoundDevice }
            try await transaction.commit([Self.disconnectDevice(.int8(device.id))])
        }
    }

    /// - Throws: `LUXError.notAuthorizedUser` when the child is not the user's.
    private func lockDevice(
        uniqueID: String, childID: Int64, userID: Int64, in transaction: PostgresTransaction
    ) async throws -> StoredDevice? {
        let results = try await transaction.run([
            Self.childOwner(.int8(childID), .int8(userID)), Self.lockDeviceByUniqueID(.text(uniqueID)),
        ])
        guard results.first?.first != nil else { throw LUXError.notAuthorizedUser }
        guard let row = results.last?.first else { return nil }
        return StoredDevice(
            id: try row.int8(0), realUserID: try row.int8OrNull(1), serialCode: try row.textOrNull(2),
            macID: try row.textOrNull(3))
    }

    private static let lockDeviceByID = PostgresStatement(
        "lock_device_by_id",
        "select \(Device.columns) from devices d where d.id = $1 for no key update")

    private static let renameDevice = PostgresStatement(
        "rename_device", "update devices set device_alias = $2 where id = $1")

    /// Changes the alias of a device.
    ///
    /// - Returns: the device with its new alias.
    /// - Throws: `LUXError`: `.notAuthorizedUser`, `.notFoundDevice`, `.notConnectedDevice`; `PostgresError`.
    package func updateAlias(deviceID: Int64, childID: Int64, alias: DeviceAlias, userID: Int64) async throws -> Device
    {
        try await transaction { transaction in
            let results = try await transaction.run([
                Self.childOwner(.int8(childID), .int8(userID)), Self.lockDeviceByID(.int8(deviceID)),
            ])
            guard results.first?.first != nil else { throw LUXError.notAuthorizedUser }
            guard let row = results.last?.first else { throw LUXError.notFoundDevice }
            var columns = PostgresColumns(row)
            var device = try Device(from: &columns)
            guard device.realUserID == childID else { throw LUXError.notConnectedDevice }
            try await transaction.commit([Self.renameDevice(.int8(deviceID), .text(alias.value))])
            device.deviceAlias = alias.value
            return device
        }
    }
}
