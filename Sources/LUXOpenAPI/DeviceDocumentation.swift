import JSON
import LUX

/// The endpoints: eight in the words of the API page, and `usage-logs`.
extension RouteDocumentation {
    private static let device = Example(name: "device", summary: "A device", value: DeviceExamples.device)
    private static let childID = Parameter.id("real_user_id", "The ID of the child account.", example: 1)
    private static let uniqueID = Parameter.text("unique_id", "The unique ID (UUID) of the device.", example: "test1")
    private static let invalidChildID = FieldError(field: "real_user_id", message: "must be an integer")
    private static let missingUniqueID = FieldError(field: "unique_id", message: "is required")

    private static let notAuthorized = EndpointError(.notAuthorizedUser, "User is not authorized.")
    private static let notFound = EndpointError(.notFoundDevice, "Device does not exist.")
    private static let alreadyConnected = EndpointError(
        .alreadyConnectedDevice, "The device is already connected to another user.")
    private static let notConnected = EndpointError(
        .notConnectedDevice, "The device is not connected to this child account.")

    package static let childDevice = RouteDocumentation(
        id: "child-device", summary: "Get Single Device Information",
        description: """
            Retrieves information for a single device belonging to a user's child account: of several, the one that was \
            connected last.
            """,
        parameters: [childID],
        response: .json("The device.", .device, [device]),
        errors: [notAuthorized, EndpointError(.deviceNotFound, "Device does not exist.")], fieldError: invalidChildID)

    package static let getAllDevice = RouteDocumentation(
        id: "get-all-device", summary: "Get All Child Accounts and Device Information",
        description: """
            Retrieves all child accounts and their associated device information for the current user. This should \
            always be called first on the Home screen to obtain the real_user_id and device_id.

            Compare `last_log_file_id` with the log file number from the device. If the device's is greater, there are \
            unsent logs on it, and `POST devlog` is to be called.
            """,
        response: Response(
            description: "One row for each connected device; an empty array if there is none.",
            schema: ["type": "array", "items": Schema.childDevice.reference],
            examples: [
                Example(name: "devices", summary: "A connected device", value: DeviceExamples.childDevices),
                Example(name: "none", summary: "No connected device or no child account", value: []),
            ]),
        errors: [EndpointError(.userIsNone, "User is not authorized.")])

    package static let setMyDevice = RouteDocumentation(
        id: "set-my-device", summary: "Register a Device",
        description: "Manually registers a device to a child account. Once more for the same one changes nothing.",
        parameters: [
            .text("serial_code", "The serial code of the device.", example: "test1"),
            .text("mac_id", "The MAC address of the device.", example: "test1234"),
            .text("unique_id", "The unique ID (UUID) of the device.", example: "test1234"), childID,
        ],
        response: .json("Connected.", .connected, [status("statuscode", "device connected")]),
        errors: [notAuthorized, notFound, alreadyConnected],
        fieldError: FieldError(field: "serial_code", message: "must not be empty"))

    package static let unConnect = RouteDocumentation(
        id: "un-connect", summary: "Unregister a Device",
        description: "Unregisters a device from a child account. Its alias is cleared, its logs stay.",
        parameters: [uniqueID, childID],
        response: .json("Disconnected.", .unconnected, [status("statusCode", "device unconnected")]),
        errors: [notAuthorized, notFound], fieldError: missingUniqueID)

    package static let checkDevice = RouteDocumentation(
        id: "check-device", summary: "Check Device Status",
        description: """
            Verifies if a device can be connected or registered. It must be called before attempting to connect a device.
            """,
        parameters: [uniqueID],
        response: .json(
            "Connected to this user already, or to nobody.", .checkedDevice,
            [
                Example(
                    name: "connected", summary: "Go on with the connection flow",
                    value: DeviceExamples.checked("Connection Confirmed")),
                Example(
                    name: "registerable", summary: "Available for registration",
                    value: DeviceExamples.checked("Device Registerable")),
            ]),
        errors: [notAuthorized, notFound, alreadyConnected], fieldError: missingUniqueID)

    package static let updateAlias = RouteDocumentation(
        id: "update-alias", summary: "Update Device Alias", description: "Updates the alias of a device.",
        body: Body(
            schema: .aliasUpdate,
            examples: [Example(name: "alias", summary: "A new alias", value: DeviceExamples.aliasUpdate)]),
        response: .json("The device with its new alias.", .device, [device]),
        errors: [notAuthorized, notFound, notConnected],
        fieldError: FieldError(
            field: "device_alias",
            message: "must be 1 to 100 characters, at least one of them visible, without control characters"))

    package static let devlog = RouteDocumentation(
        id: "devlog", summary: "Upload Device Usage Log",
        description: """
            - Creates a temporary usage log by being called 30 seconds after device usage starts.
            - Updates the temporary usage log when the Bluetooth connection is lost during use.
            - Updates the temporary log to a complete log when device usage ends.
            - Saves usage logs when there are logs to be sent from the device.

            `finish_flag` null or absent makes a record a temporary one, whose start is `treatment_date` minus 30 \
            seconds. The first complete record that was not stored before completes the temporary log. The records are \
            stored all or none; the same upload sent again changes nothing.

            Each number lies within the range of a double, with at most 400 characters and an exponent of at most 400. \
            One `detail_data` takes at most 64 KiB as stored, all of an upload 4 MiB.
            """,
        body: Body(
            schema: .upload,
            examples: [
                Example(
                    name: "temporary", summary: "Create or update the temporary log",
                    value: DeviceExamples.temporaryLog),
                Example(name: "complete", summary: "Complete the temporary log", value: DeviceExamples.completeLog),
                Example(name: "several", summary: "Upload several logs", value: DeviceExamples.severalLogs),
            ]),
        response: .json(
            "Stored.", .saved,
            [
                status("statusCode", "Temp devlog saved successfully", name: "temporary"),
                status("statusCode", "Devlog saved successfully", name: "complete"),
            ]),
        errors: [
            notAuthorized, EndpointError(.notFoundUser, "Child account does not exist."), notFound, notConnected,
            EndpointError(.updateDeviceLogFailed, "The database rejected to change a log."),
            EndpointError(.createDeviceLogFailed, "The database rejected a new log."),
        ],
        fieldError: FieldError(
            field: "log_arrays[0].detail_data.treatment_date", message: "must be an ISO 8601 date-time"))

    package static let usageLogs = RouteDocumentation(
        id: "usage-logs", summary: "Read Usage Logs Back",
        description: """
            The logs of a child account, temporary ones included, newest start first. `next_cursor` selects the next \
            page of the same child, device and span; it is null on the last one. A page can be shorter than `limit`.
            """,
        parameters: [
            childID, .optional("device_id", "Only the logs of this device.", Schema.id, example: 2),
            .optional(
                "from", "Only logs that start at this time or later (ISO 8601).", Schema.dateTime,
                example: "2025-02-01T00:00:00Z"),
            .optional(
                "to", "Only logs that start before this time (ISO 8601).", Schema.dateTime,
                example: "2025-03-01T00:00:00Z"),
            .optional(
                "limit", "How many logs a page has at most; 100 if left out.",
                ["type": "integer", "minimum": 1, "maximum": 500], example: 100),
            .optional(
                "cursor", "`next_cursor` of the page before.",
                ["type": "string", "pattern": "^[A-Za-z0-9_-]{32}$"], example: "AAYt3zEpQQAAAAAAAAAAB_dR4u_bqFvd"),
        ],
        response: .json(
            "A page.", .usageLogs,
            [
                Example(name: "logs", summary: "A complete log", value: DeviceExamples.usageLogs),
                Example(name: "none", summary: "No logs", value: ["logs": [], "next_cursor": .null]),
            ]),
        errors: [notAuthorized], fieldError: FieldError(field: "limit", message: "must be 1 to 500"))

    package static let alimtalk = RouteDocumentation(
        id: "alimtalk", summary: "Send Device Impedance Error Notification",
        description: """
            Sends a notification (Alimtalk) when an impedance error occurs on the device. Apps should send an \
            Idempotency-Key, new for each event and the same for each retry: a retry then sends no second message.
            """,
        parameters: [
            .header(
                "Idempotency-Key",
                """
                Names the event. A request with a key that the account has used within 24 hours gets the outcome of that \
                one and sends nothing; while that one is in flight it waits for it.
                """, example: "8e03978e-40d5-43e8-bc93-6894a57f9324")
        ],
        response: .json("Sent.", .nothing, [Example(name: "sent", summary: "Sent", value: .null)]),
        errors: [
            EndpointError(.phoneNumberNotFound, "User's phone number cannot be found."),
            EndpointError(.alimtalkSendFailed, "Notification sending failed (contact server admin)."),
        ])

    private static func status(_ member: String, _ message: String, name: String = "done") -> Example {
        Example(
            name: name, summary: message,
            value: .object([(name: member, value: .integer(200)), (name: "message", value: .string(message))]))
    }
}
