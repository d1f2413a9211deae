import LUXTestSupport

/// A request to one of the eight endpoints, in terms of the places of users, children and devices, so that it can be sent to
/// another world as well.
struct ModelRequest: Equatable, Sendable {
    enum Action: Equatable, Sendable {
        case childDevice(child: Int)
        case allDevices
        case connect(device: Int, child: Int, serial: String, mac: String)
        case disconnect(device: Int, child: Int)
        case check(device: Int)
        case rename(device: Int, child: Int, alias: String)
        case upload([Record])
        case message
    }

    struct Record: Equatable, Sendable {
        var child: Int
        var device: Int
        var hasWrongUniqueID = false
        var file: Int64?
        /// Seconds after ``Instant/zero``.
        var date: Int
        var flag: Int?
        var intensity: Int
        var time: Int
        /// An unknown member of `detail_data`.
        var note: Int

        /// `detail_data` as the column stores it: PostgreSQL orders the keys of jsonb by length, then by bytes.
        var storedDetail: String {
            #"{"note": \#(note), "finish_flag": \#(flag.map { String($0) } ?? "null"), "last_intensity": \#(intensity), "#
                + #""treatment_date": "\#(Instant.text(date))", "treatment_time": \#(time)}"#
        }
    }

    /// The user whose token it carries.
    var user: Int
    var action: Action

    /// Method, target and body.
    func http(_ names: WorldNames) -> (method: String, target: String, body: String?) {
        switch action {
        case .childDevice(let child):
            return ("GET", "child-device?real_user_id=\(names.child(child))", nil)
        case .allDevices:
            return ("GET", "get-all-device", nil)
        case .connect(let device, let child, let serial, let mac):
            let query = "serial_code=\(serial)&mac_id=\(mac)&unique_id=\(names.unique(device))"
            return ("POST", "set-my-device?\(query)&real_user_id=\(names.child(child))", nil)
        case .disconnect(let device, let child):
            return ("PATCH", "un-connect?unique_id=\(names.unique(device))&real_user_id=\(names.child(child))", nil)
        case .check(let device):
            return ("GET", "check-device?unique_id=\(names.unique(device))", nil)
        case .rename(let device, let child, let alias):
            let ids = #""device_id":\#(names.device(device)),"real_user_id":\#(names.child(child))"#
            return ("PATCH", "update-alias", #"{\#(ids),"device_alias":"\#(alias)"}"#)
        case .upload(let records):
            return ("POST", "devlog", World.logArrays(records.map { names.text(of: $0) }))
        case .message:
            return ("POST", "alimtalk", nil)
        }
    }

    /// The request as a line for a shell.
    func curl(_ names: WorldNames) -> String {
        let (method, target, body) = http(names)
        let data = body.map { " -d '\($0)'" } ?? ""
        return "curl -X \(method) -H \"Authorization: Bearer $TOKEN_OF_USER_\(user)\" \"$LUX/\(target)\"\(data)"
    }
}

/// Times of histories.
enum Instant {
    /// 2025-03-01T10:00:00Z in seconds since the Unix epoch.
    static let zero = 1_740_823_200

    /// ISO 8601 of some seconds after ``zero``, on the same day.
    static func text(_ seconds: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "2025-03-01T\(two(10 + seconds / 3_600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))Z"
    }
}

/// What the rows of a world are called in the database.
struct WorldNames: Sendable {
    var users: [Int64]
    var children: [Int64]
    var devices: [World.Device]
    /// `created_at` of each device, as responses write it.
    var created: [String]

    func user(_ place: Int) -> Int64 { users.indices.contains(place) ? users[place] : 9_000_000_001 }
    func child(_ place: Int) -> Int64 { children.indices.contains(place) ? children[place] : 9_000_000_002 }
    func device(_ place: Int) -> Int64 { devices.indices.contains(place) ? devices[place].id : 9_000_000_003 }
    func unique(_ place: Int) -> String { devices.indices.contains(place) ? devices[place].unique : "no-such-device" }

    /// One record of `log_arrays`.
    func text(of record: ModelRequest.Record) -> String {
        let device = World.Device(
            id: device(record.device), unique: record.hasWrongUniqueID ? "another-device" : unique(record.device))
        return World.record(
            child: child(record.child), device: device, date: Instant.text(record.date), flag: record.flag,
            intensity: record.intensity, time: record.time, file: record.file, more: #","note":\#(record.note)"#)
    }

    private func text(_ value: String?) -> String { value.map { "\"\($0)\"" } ?? "null" }

    private func connection(of device: WorldModel.Device, at place: Int) -> String {
        let child = device.child.map { String(self.child($0)) } ?? "null"
        return #""id":\#(self.device(place)),"real_user_id":\#(child),"#
            + #""project_id":null,"hardware_id":null,"now_firmware_id":null"#
    }

    private func identity(of device: WorldModel.Device, at place: Int) -> String {
        #""unique_id":"\#(unique(place))","serial_code":\#(text(device.serialCode)),"#
            + #""device_alias":\#(text(device.alias)),"mac_id":\#(text(device.macID)),"#
            + #""created_at":"\#(created[place])","last_log_file_id":\#(device.lastLogFileID)"#
    }

    /// The eleven members of a device.
    func json(of device: WorldModel.Device, at place: Int) -> String {
        "{\(connection(of: device, at: place)),\(identity(of: device, at: place))}"
    }

    /// The seventeen members of a row of `get-all-device`.
    func row(of device: WorldModel.Device, at place: Int, _ child: WorldModel.Child) -> String {
        "{\(connection(of: device, at: place)),\"firmware_version\":null,\(identity(of: device, at: place)),"
            + #""root_user_id":\#(user(child.user)),"first_name":"\#(child.firstName)","last_name":"Kim","#
            + #""birthdate":"20190305","gender":"F"}"#
    }
}
