/// A device as a response shows it: the eleven members of the API page. A value; never throws.
package struct Device: Sendable, Equatable {
    /// The id that the server assigned.
    package var id: Int64
    /// The child that it is connected to.
    package var realUserID: Int64?
    /// The project that it belongs to.
    package var projectID: Int64?
    /// Its hardware.
    package var hardwareID: Int64?
    /// The firmware that it runs.
    package var nowFirmwareID: Int64?
    /// The UUID of the device.
    package var uniqueID: String
    /// The serial code, once recorded.
    package var serialCode: String?
    /// The family's name for it.
    package var deviceAlias: String?
    /// The MAC address or its end, once recorded.
    package var macID: String?
    /// When it was provisioned.
    package var createdAt: Timestamp
    /// The highest `log_file_id` stored as complete.
    package var lastLogFileID: Int64

    package init(
        id: Int64, realUserID: Int64?, projectID: Int64?, hardwareID: Int64?, nowFirmwareID: Int64?, uniqueID: String,
        serialCode: String?, deviceAlias: String?, macID: String?, createdAt: Timestamp, lastLogFileID: Int64
    ) {
        self.id = id
        self.realUserID = realUserID
        self.projectID = projectID
        self.hardwareID = hardwareID
        self.nowFirmwareID = nowFirmwareID
        self.uniqueID = uniqueID
        self.serialCode = serialCode
        self.deviceAlias = deviceAlias
        self.macID = macID
        self.createdAt = createdAt
        self.lastLogFileID = lastLogFileID
    }
}

/// A connected device with its child: the seventeen members of a row of `get-all-device`.
package struct ChildDevice: Sendable, Equatable {
    /// The device.
    package var device: Device
    /// The version of its firmware.
    package var firmwareVersion: String?
    /// The account that the child belongs to.
    package var rootUserID: Int64
    /// The child's given name.
    package var firstName: String?
    /// The child's family name.
    package var lastName: String?
    /// As the account service writes it: `19970101`.
    package var birthdate: String?
    /// `M`, `F`, `N` or `P`.
    package var gender: String?

    package init(
        device: Device, firmwareVersion: String?, rootUserID: Int64, firstName: String?, lastName: String?,
        birthdate: String?, gender: String?
    ) {
        self.device = device
        self.firmwareVersion = firmwareVersion
        self.rootUserID = rootUserID
        self.firstName = firstName
        self.lastName = lastName
        self.birthdate = birthdate
        self.gender = gender
    }
}
