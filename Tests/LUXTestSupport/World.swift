import Foundation

/// What one test sees: a server, its database, and users, children and devices that no other test touches.
package final class World {
    /// Where the worlds of a test send their requests, if not to the shared server.
    @TaskLocal package static var door: (any Door)?

    package struct Device: Sendable {
        package let id: Int64
        package let unique: String

        package init(id: Int64, unique: String) {
            self.id = id
            self.unique = unique
        }
    }

    package let server: TestServer
    package let sql: SQLSession
    private let door: (any Door)?
    private var connection: HTTPClient?

    package static let api = "/api/v1/lux/device/"

    /// The server and the database that most tests share.
    private static let shared: (database: TestDatabase, server: TestServer) = {
        do {
            let database = try TestDatabase.make()
            return (database, try TestServer(database))
        } catch {
            preconditionFailure("no server for the tests: \(error)")
        }
    }()

    package static var sharedDatabase: TestDatabase { shared.database }

    package static var sharedServer: TestServer { shared.server }

    package convenience init() throws {
        try self.init(Self.shared.database, Self.shared.server, door: Self.door)
    }

    package init(_ database: TestDatabase, _ server: TestServer, door: (any Door)? = nil) throws {
        self.server = server
        self.door = door
        sql = try database.session()
    }

    /// A database and a server of this test's own.
    package static func own(environment: [String: String] = [:]) throws -> World {
        let database = try TestDatabase.make()
        return try World(database, try TestServer(database, environment: environment))
    }

    // MARK: rows

    package func user(phone: String? = nil) throws -> Int64 {
        try sql.integer("insert into users (phone_number) values ($1) returning id", [phone])
    }

    package func child(
        of user: Int64, first: String = "Jisoo", last: String = "Kim", birth: String = "20190305", gender: String = "F"
    ) throws -> Int64 {
        try sql.integer(
            """
            insert into real_users (root_user_id, first_name, last_name, birthdate, gender)
            values ($1, $2, $3, $4, $5) returning id
            """, [String(user), first, last, birth, gender])
    }

    /// A device with its unique id alone, connected when a child is named.
    package func device(
        of child: Int64? = nil, unique: String? = nil, serial: String? = nil, mac: String? = nil, alias: String? = nil,
        connected: String = "now"
    ) throws -> Device {
        let unique = unique ?? "unit-\(Unique.number())"
        let id = try sql.integer(
            """
            insert into devices (real_user_id, unique_id, serial_code, mac_id, device_alias, connected_at)
            values ($1, $2, $3, $4, $5, case when $1::bigint is null then null else $6::timestamptz end) returning id
            """, [child.map { String($0) }, unique, serial, mac, alias, connected])
        return Device(id: id, unique: unique)
    }

    /// A device with every column filled, and its eleven members as a response shows them.
    package func completeDevice(of child: Int64?) throws -> (device: Device, json: String, hardware: [Int64]) {
        let project = try sql.integer("insert into projects (name) values ('LUX') returning id")
        let hardware = try sql.integer(
            "insert into hardwares (project_id, name) values ($1, 'LUX-H1') returning id", [String(project)])
        let firmware = try sql.integer(
            "insert into firmwares (hardware_id, version) values ($1, '1.4.2') returning id", [String(hardware)])
        let unique = "complete-\(Unique.number())"
        let id = try sql.integer(
            """
            insert into devices (real_user_id, project_id, hardware_id, now_firmware_id, unique_id, serial_code,
                device_alias, mac_id, created_at, connected_at, last_log_file_id)
            values ($1, $2, $3, $4, $5, 'SN-1', 'living "room"', '41AD', '2024-11-28T02:15:53.610999Z',
                case when $1::bigint is null then null else now() end, 17) returning id
            """, [child, project, hardware, firmware].map { $0.map { String($0) } } + [unique])
        let json = """
            {"id":\(id),"real_user_id":\(child.map { String($0) } ?? "null"),"project_id":\(project),\
            "hardware_id":\(hardware),"now_firmware_id":\(firmware),"unique_id":"\(unique)","serial_code":"SN-1",\
            "device_alias":"living \\"room\\"","mac_id":"41AD","created_at":"2024-11-28T02:15:53.610Z",\
            "last_log_file_id":17}
            """
        return (Device(id: id, unique: unique), json, [project, hardware, firmware])
    }

    /// A user with one child and one connected device.
    package func family() throws -> (user: Int64, child: Int64, device: Device) {
        let user = try user()
        let child = try child(of: user)
        return (user, child, try device(of: child))
    }

    /// The logs of a device, oldest first, one line of text each: child, file id, start, flag, intensity, time,
    /// start of the temporary log.
    package func logs(of device: Device) throws -> [String] {
        try sql.query(
            """
            select concat_ws(' | ', real_user_id, coalesce(log_file_id::text, '-'), \(World.utc("treatment_date")),
                coalesce(finish_flag::text, '-'), last_intensity, treatment_time,
                coalesce(\(World.utc("temp_treatment_date")), '-'))
            from device_logs where device_id = $1 order by id
            """, [String(device.id)]
        ).compactMap { $0.first ?? nil }
    }

    /// Every column of a device's logs and of the device itself: equal before and after means that nothing changed.
    package func everything(of device: Device) throws -> String {
        let logs = try sql.query(
            "select row(l.*) from device_logs l where device_id = $1 order by id", [String(device.id)])
        let row = try sql.query("select row(d.*) from devices d where id = $1", [String(device.id)])
        return (logs + row).compactMap { $0.first ?? nil }.joined(separator: "\n")
    }

    package func lastLogFileID(of device: Device) throws -> Int64 {
        try sql.integer("select last_log_file_id from devices where id = $1", [String(device.id)])
    }

    private static func utc(_ column: String) -> String {
        #"to_char(\#(column) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"#
    }

    // MARK: calls

    /// One request to the device API, through this world's door or on its kept connection.
    package func call(
        _ method: String, _ target: String, as user: Int64? = nil, headers: [(String, String)] = [],
        body: String? = nil
    ) throws -> HTTPReply {
        let token = user.map { Token.access(user: $0) }
        let target = target.hasPrefix("/") ? target : Self.api + target
        let request = TestServer.request(method, target, token: token, headers: headers, body: body)
        if let door { return try door.send(request, method: method) }
        let client = try connection ?? server.connect()
        connection = nil
        try client.send(request)
        let reply = try client.receive(to: method)
        if reply.header("Connection")?.lowercased() != "close" { connection = client }
        return reply
    }

    package func upload(_ records: [String], as user: Int64) throws -> HTTPReply {
        try call("POST", "devlog", as: user, body: Self.logArrays(records))
    }

    package static func logArrays(_ records: [String]) -> String {
        #"{"log_arrays":[\#(records.joined(separator: ","))]}"#
    }

    /// One record of `log_arrays`; `more` adds members to `detail_data`.
    package static func record(
        child: Int64, device: Device, date: String, flag: Int? = nil, intensity: Int = 2, time: Int = 60,
        file: Int64? = nil, more: String = ""
    ) -> String {
        let flagText = flag.map { String($0) } ?? "null"
        let fileText = file.map { #","log_file_id":\#($0)"# } ?? ""
        return #"{"real_user_id":\#(child),"device_id":\#(device.id),"unique_id":"\#(device.unique)","#
            + #""detail_data":{"treatment_date":"\#(date)","finish_flag":\#(flagText),"#
            + #""last_intensity":\#(intensity),"treatment_time":\#(time)\#(more)}\#(fileText)}"#
    }
}
