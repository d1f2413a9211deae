import JSON
import LUX

/// The schemas under `#/components/schemas`, in the dialect of OpenAPI 3.1 (JSON Schema 2020-12).
enum Schema: String, CaseIterable, Sendable {
    case device = "Device"
    case childDevice = "ChildDevice"
    case checkedDevice = "CheckedDevice"
    case connected = "Connected"
    case unconnected = "Unconnected"
    case saved = "Saved"
    case nothing = "Nothing"
    case usageLogs = "UsageLogs"
    case usageLog = "UsageLog"
    case aliasUpdate = "AliasUpdate"
    case upload = "Upload"
    case logRecord = "LogRecord"
    case detailData = "DetailData"
    case health = "Health"
    case error = "Error"

    var reference: JSONValue { ["$ref": .string("#/components/schemas/\(rawValue)")] }

    static let id: JSONValue = ["type": "integer", "format": "int64", "minimum": 1, "maximum": .integer(.max)]
    static let text: JSONValue = ["type": "string", "minLength": 1, "pattern": #"^[^\u0000]+$"#]

    private static let storedID: JSONValue = ["type": "integer", "format": "int64"]
    private static let storedIDOrNull: JSONValue = ["type": ["integer", "null"], "format": "int64"]
    private static let stringOrNull: JSONValue = ["type": ["string", "null"]]
    private static let counter: JSONValue = [
        "type": "integer", "format": "int32", "minimum": 0, "maximum": .integer(Int64(Int32.max)),
    ]

    var definition: JSONValue {
        switch self {
        case .device: Self.object(Self.deviceMembers)
        case .childDevice: Self.object(Self.childDeviceMembers)
        case .checkedDevice:
            Self.object([
                ("detail", ["type": "string", "enum": ["Connection Confirmed", "Device Registerable"]]),
                ("device_data", Schema.device.reference),
            ])
        case .connected: Self.status("statuscode", ["device connected"])
        case .unconnected: Self.status("statusCode", ["device unconnected"])
        case .saved: Self.status("statusCode", ["Temp devlog saved successfully", "Devlog saved successfully"])
        case .nothing: ["type": "null"]
        case .usageLogs:
            Self.object([
                ("logs", ["type": "array", "items": Schema.usageLog.reference]), ("next_cursor", Self.stringOrNull),
            ])
        case .usageLog: Self.object(Self.usageLogMembers)
        case .aliasUpdate: Self.aliasUpdateDefinition
        case .upload: Self.uploadDefinition
        case .logRecord: Self.logRecordDefinition
        case .detailData: Self.detailDataDefinition
        case .health: Self.object([("status", ["type": "string", "enum": ["ok", "ready"]])])
        case .error: Self.object([("detail", ["type": "string", "description": "The reason of the error."])])
        }
    }

    /// An object that has all of these members and no others.
    private static func object(_ members: [(name: String, schema: JSONValue)]) -> JSONValue {
        [
            "type": "object", "properties": .object(members.map { ($0.name, $0.schema) }),
            "required": .array(members.map { .string($0.name) }), "additionalProperties": false,
        ]
    }

    private static func status(_ name: String, _ messages: [String]) -> JSONValue {
        object([
            (name, ["type": "integer", "const": 200]),
            ("message", ["type": "string", "enum": .array(messages.map { .string($0) })]),
        ])
    }

    private static let deviceMembers: [(name: String, schema: JSONValue)] = [
        ("id", storedID), ("real_user_id", storedIDOrNull), ("project_id", storedIDOrNull),
        ("hardware_id", storedIDOrNull), ("now_firmware_id", storedIDOrNull), ("unique_id", ["type": "string"]),
        ("serial_code", stringOrNull), ("device_alias", stringOrNull), ("mac_id", stringOrNull),
        ("created_at", timestamp), ("last_log_file_id", lastLogFileID),
    ]

    private static let childDeviceMembers: [(name: String, schema: JSONValue)] =
        deviceMembers.flatMap { member -> [(name: String, schema: JSONValue)] in
            // A row is of a connected device.
            if member.name == "real_user_id" { return [("real_user_id", storedID)] }
            return member.name == "now_firmware_id" ? [member, ("firmware_version", stringOrNull)] : [member]
        } + [
            ("root_user_id", storedID), ("first_name", stringOrNull), ("last_name", stringOrNull),
            ("birthdate", stringOrNull), ("gender", stringOrNull),
        ]

    private static let usageLogMembers: [(name: String, schema: JSONValue)] = [
        ("id", storedID), ("device_id", storedID), ("real_user_id", storedID), ("log_file_id", storedIDOrNull),
        ("treatment_date", timestamp), ("finish_flag", storedIDOrNull), ("last_intensity", storedIDOrNull),
        ("treatment_time", storedIDOrNull),
        ("detail_data", ["description": "As it was sent.", "type": ["object", "null"]]), ("created_at", timestamp),
        ("updated_at", timestamp),
    ]

    private static let timestamp: JSONValue = [
        "type": "string", "format": "date-time", "description": "UTC, always with three decimals.",
        "pattern": #"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"#,
    ]

    private static let lastLogFileID: JSONValue = storedID.adding([
        "description": """
        The number of the last log file stored on the server. When the device's own is greater, it has logs that are \
        still to be sent with `POST devlog`.
        """
    ])

    private static let aliasUpdateDefinition: JSONValue = [
        "type": "object",
        "properties": [
            "device_id": id.adding(["description": "The ID of the device."]),
            "real_user_id": id.adding(["description": "The ID of the child account."]),
            "device_alias": [
                "type": "string", "minLength": 1, "maxLength": 100,
                "description": "The new alias: without control characters; white space at its ends is cut off.",
                "pattern":
                    #"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"#,
            ],
        ],
        "required": ["device_id", "real_user_id", "device_alias"],
    ]

    private static let uploadDefinition: JSONValue = [
        "type": "object",
        "properties": [
            "log_arrays": [
                "type": "array", "description": "Container for log records. All of them are stored, or none.",
                "minItems": 1, "maxItems": .integer(Int64(LogUpload.maximumRecords)),
                "items": Schema.logRecord.reference,
            ]
        ],
        "required": ["log_arrays"],
    ]

    private static let logRecordDefinition: JSONValue = [
        "type": "object",
        "properties": [
            "real_user_id": id.adding(["description": "The ID of the child account."]),
            "device_id": id.adding(["description": "The ID of the device."]),
            "unique_id": text.adding(["description": "The unique ID (UUID) of the device."]),
            "detail_data": Schema.detailData.reference,
            "log_file_id": orNull(counter).adding([
                "description": "Device usage log ID (refers to the shortlog file_id)."
            ]),
        ],
        "required": ["real_user_id", "device_id", "unique_id", "detail_data"],
    ]

    private static let detailDataDefinition: JSONValue = [
        "type": "object", "description": "Device usage log. Other members are kept as they are sent.",
        "properties": [
            "treatment_date": [
                "type": "string", "pattern": .string(datePattern),
                "description": "Start time of device usage (ISO 8601); without an offset, in the server's time zone.",
            ],
            "finish_flag": [
                "type": ["integer", "null"], "enum": [1, 2, 3, 4, 5, 6, .null],
                "description": """
                Type of shutdown; null or absent while the treatment goes on. 1: normal, 2: button, 3: app, \
                4: faulty contacts, 5: VBUS (charger), 6: factory.
                """,
            ],
            "last_intensity": counter.adding(["description": "Last used intensity."]),
            "treatment_time": counter.adding(["description": "Usage duration in seconds."]),
        ],
        "required": ["treatment_date", "last_intensity", "treatment_time"],
    ]

    static let dateTime: JSONValue = ["type": "string", "pattern": .string(datePattern)]

    private static let datePattern =
        #"^([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"#
        + #"[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:([0-5][0-9]|60)"#
        + #"([.,][0-9]+)?)?([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?$"#

    private static func orNull(_ schema: JSONValue) -> JSONValue {
        guard case .object(let members) = schema else { return schema }
        return .object(members.map { $0.name == "type" ? ("type", .array([$0.value, "null"])) : $0 })
    }
}
