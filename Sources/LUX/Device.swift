/// A device as the API answers it: the eleven members of the API page.
public struct Device: Sendable, Equatable {
    /// The id that the server gave it.
    public var id: Int64
    /// The child that it is connected to.
    public var realUserID: Int64?
    /// The project that it belongs to.
    public var projectID: Int64?
    /// Its hardware.
    public var hardwareID: Int64?
    /// The firmware that it runs.
    public var nowFirmwareID: Int64?
    /// The UUID of the device.
    public var uniqueID: String
    /// The serial code, once recorded.
    public var serialCode: String?
    /// The family's name for it.
    public var deviceAlias: String?
    /// The MAC address or its end, once recorded.
    public var macID: String?
    /// When it was provisioned.
    public var createdAt: Timestamp
    /// The highest `log_file_id` stored as complete.
    public var lastLogFileID: Int64

    /// Makes a device from its members.
    public init(
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
public struct ChildDevice: Sendable, Equatable {
    /// The device.
    public var device: Device
    /// The version of its firmware.
    public var firmwareVersion: String?
    /// The account that the child belongs to.
    public var rootUserID: Int64
    /// The child's given name.
    public var firstName: String?
    /// The child's family name.
    public var lastName: String?
    /// As the account service writes it: `19970101`.
    public var birthdate: String?
    /// `M`, `F`, `N` or `P`.
    public var gender: String?

    /// Makes a row from its members.
    public init(
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
