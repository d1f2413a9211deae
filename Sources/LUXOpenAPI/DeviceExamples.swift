import JSON

/// The responses that the API page shows, identical except for white space.
enum DeviceExamples {
    static let device = JSONValue.raw(
        """
        {"id":0,"real_user_id":0,"project_id":0,"hardware_id":0,"now_firmware_id":0,"unique_id":"string",\
        "serial_code":"string","device_alias":"string","mac_id":"string","created_at":"2024-11-28T02:15:53.610Z",\
        "last_log_file_id":0}
        """)

    static let childDevices = JSONValue.raw(
        """
        [{"id":0,"real_user_id":0,"project_id":0,"hardware_id":0,"now_firmware_id":0,"firmware_version":"1.0.0",\
        "unique_id":"string","serial_code":"string","device_alias":"string","mac_id":"string",\
        "created_at":"2024-11-28T02:27:34.136Z","last_log_file_id":0,"root_user_id":0,"first_name":"string",\
        "last_name":"string","birthdate":"string","gender":"string"}]
        """)

    static func checked(_ detail: String) -> JSONValue {
        ["detail": .string(detail), "device_data": device]
    }

    static let usageLogs = JSONValue.raw(
        """
        {"logs":[{"id":7,"device_id":2,"real_user_id":1,"log_file_id":1,"treatment_date":"2025-02-14T06:48:49.000Z",\
        "finish_flag":2,"last_intensity":25,"treatment_time":900,"detail_data":{"finish_flag":2,"last_intensity":25,\
        "treatment_date":"2025-02-14T15:48:49","treatment_time":900},"created_at":"2025-02-14T07:05:02.118Z",\
        "updated_at":"2025-02-14T07:05:02.118Z"}],"next_cursor":null}
        """)

    // The page sends 0 for both ids, which no row has.
    static let aliasUpdate = JSONValue.raw(#"{"device_id":1,"real_user_id":1,"device_alias":"string"}"#)

    static let temporaryLog = upload([
        record(date: "2025-02-21T15:48:49", flag: .null, intensity: 2, seconds: 255_555, file: nil)
    ])

    static let completeLog = upload([completeRecord(day: 14, file: 1)])

    static let severalLogs = upload([completeRecord(day: 14, file: 1), completeRecord(day: 15, file: 2)])

    private static func upload(_ records: [JSONValue]) -> JSONValue {
        ["log_arrays": .array(records)]
    }

    private static func completeRecord(day: Int, file: Int64) -> JSONValue {
        record(date: "2025-02-\(day)T15:48:49", flag: 2, intensity: 25, seconds: 500_000, file: file)
    }

    private static func record(
        date: String, flag: JSONValue, intensity: Int64, seconds: Int64, file: Int64?
    ) -> JSONValue {
        let record: JSONValue = [
            "real_user_id": 1, "device_id": 2, "unique_id": "withnox_temp",
            "detail_data": [
                "treatment_date": .string(date), "finish_flag": flag, "last_intensity": .integer(intensity),
                "treatment_time": .integer(seconds),
            ],
        ]
        guard let file else { return record }
        return record.adding(["log_file_id": .integer(file)])
    }
}
