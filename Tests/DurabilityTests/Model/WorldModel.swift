/// All rows of the device world, as plain arrays: the contract written out rule by rule, without SQL and without any of
/// the product's code. Users, children and devices are distinguished by their place.
struct WorldModel: Equatable, Sendable {
    struct Child: Equatable, Sendable {
        var user: Int
        var firstName: String
    }

    struct Device: Equatable, Sendable {
        var child: Int?
        var serialCode: String?
        var macID: String?
        var alias: String?
        /// The place of its connecting among all; 0 while it is not connected.
        var connected = 0
        var lastLogFileID: Int64 = 0
        /// The start of the log that showed the last restart of the counter.
        var restart: Int?
    }

    struct Log: Equatable, Sendable {
        var device: Int
        var child: Int
        var file: Int64?
        /// Seconds after ``Instant/zero``.
        var start: Int
        var flag: Int?
        var intensity: Int
        var time: Int
        var detail: String
        /// Of a complete log: the start that its temporary log had.
        var temporaryStart: Int?
        /// Of a complete log: the treatment time that its temporary log had.
        var temporaryTime: Int?
        /// Grows with each change of the row.
        var version = 0
    }

    /// Whether each user has a phone that messages can be sent to.
    var phones: [Bool]
    var children: [Child]
    var devices: [Device]
    var logs: [Log] = []
    /// The users for whom a message was sent, in order.
    var messages: [Int] = []
    private var connections = 0

    init(phones: [Bool], children: [Child], devices: [Device]) {
        self.phones = phones
        self.children = children
        self.devices = devices
        for index in self.devices.indices where self.devices[index].child != nil {
            connections += 1
            self.devices[index].connected = connections
        }
    }

    /// Handles a request as the contract requires.
    mutating func handle(_ request: ModelRequest, _ names: WorldNames) -> ModelResponse {
        switch request.action {
        case .childDevice(let child):
            guard owns(request.user, child) else { return .notAuthorized }
            let own = devices.indices.filter { devices[$0].child == child }
            guard let last = own.max(by: { (devices[$0].connected, $0) < (devices[$1].connected, $1) }) else {
                return .error(404, "Device not found")
            }
            return .json(names.json(of: devices[last], at: last))
        case .allDevices:
            guard phones.indices.contains(request.user) else { return .error(401, "User is None") }
            let rows = devices.indices.compactMap { index -> (child: Int, index: Int)? in
                guard let child = devices[index].child, children[child].user == request.user else { return nil }
                return (child, index)
            }.sorted { $0 < $1 }.map { names.row(of: devices[$0.index], at: $0.index, children[$0.child]) }
            return .json("[\(rows.joined(separator: ","))]")
        case .connect(let device, let child, let serial, let mac):
            return connect(request.user, device, child, serial, mac)
        case .disconnect(let device, let child):
            guard owns(request.user, child) else { return .notAuthorized }
            guard devices.indices.contains(device), devices[device].child == child else {
                return .error(404, "Not Found Device")
            }
            devices[device].child = nil
            devices[device].alias = nil
            devices[device].connected = 0
            return .json(#"{"statusCode":200,"message":"device unconnected"}"#)
        case .check(let device):
            guard phones.indices.contains(request.user) else { return .notAuthorized }
            guard devices.indices.contains(device) else { return .error(404, "Not Found Device") }
            let child = devices[device].child
            if let child, children[child].user != request.user { return .error(409, "Already Connected Device") }
            let detail = child == nil ? "Device Registerable" : "Connection Confirmed"
            return .json(#"{"detail":"\#(detail)","device_data":\#(names.json(of: devices[device], at: device))}"#)
        case .rename(let device, let child, let alias):
            guard owns(request.user, child) else { return .notAuthorized }
            guard devices.indices.contains(device) else { return .error(404, "Not Found Device") }
            guard devices[device].child == child else { return .error(409, "Not Connected Device") }
            devices[device].alias = alias
            return .json(names.json(of: devices[device], at: device))
        case .upload(let records):
            return upload(request.user, records)
        case .message:
            guard phones.indices.contains(request.user), phones[request.user] else {
                return .error(403, "Phone number is not found")
            }
            messages.append(request.user)
            return .json("null")
        }
    }

    func owns(_ user: Int, _ child: Int) -> Bool {
        children.indices.contains(child) && children[child].user == user
    }

    private mutating func connect(
        _ user: Int, _ device: Int, _ child: Int, _ serial: String, _ mac: String
    ) -> ModelResponse {
        guard owns(user, child) else { return .notAuthorized }
        guard devices.indices.contains(device) else { return .error(404, "Not Found Device") }
        let stored = devices[device]
        guard stored.serialCode ?? serial == serial, Self.isSame(stored.macID ?? mac, mac) else {
            return .error(404, "Not Found Device")
        }
        if let other = stored.child, other != child { return .error(409, "Already Connected Device") }
        if stored.child == nil {
            connections += 1
            devices[device].child = child
            devices[device].connected = connections
            devices[device].serialCode = stored.serialCode ?? serial
            devices[device].macID = stored.macID ?? mac
        }
        return .json(#"{"statuscode":200,"message":"device connected"}"#)
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        let (one, other) = (one.filter(\.isHexDigit), other.filter(\.isHexDigit))
        return one.hasSuffix(other) || other.hasSuffix(one)
    }

    // MARK: The log

    private mutating func upload(_ user: Int, _ records: [ModelRequest.Record]) -> ModelResponse {
        for record in records {
            guard children.indices.contains(record.child) else { return .error(404, "Not Found User") }
            guard owns(user, record.child) else { return .notAuthorized }
            guard devices.indices.contains(record.device), !record.hasWrongUniqueID else {
                return .error(404, "Not Found Device")
            }
            guard devices[record.device].child == record.child else { return .error(409, "Not Connected Device") }
        }
        let before = logs
        // The pairs of which a record was neither a repeat nor a late repeat.
        var changed: [(device: Int, child: Int)] = []
        for record in records {
            let pair = (record.device, record.child)
            let isFirst = !changed.contains { $0 == pair }
            let isRepeat = record.flag == nil ? saveTemporary(record) : saveComplete(record, isFirst: isFirst)
            if !isRepeat { changed.append(pair) }
        }
        // A request that leaves a log as it was has not changed it, whatever its records did in between.
        for (index, log) in before.enumerated() where logs[index] != log { logs[index].version += 1 }
        let isTemporary = records.allSatisfy { $0.flag == nil }
        return .json(#"{"statusCode":200,"message":"\#(isTemporary ? "Temp devlog" : "Devlog") saved successfully"}"#)
    }

    private func temporary(_ record: ModelRequest.Record) -> Int? {
        logs.firstIndex { $0.device == record.device && $0.child == record.child && $0.flag == nil }
    }

    /// - Returns: whether it was a late repeat.
    private mutating func saveTemporary(_ record: ModelRequest.Record) -> Bool {
        let start = record.date - 30
        let isLate = logs.contains {
            $0.device == record.device && $0.child == record.child && $0.flag != nil && $0.temporaryStart == start
                && (abs($0.start - start) <= 120 || record.time <= $0.temporaryTime ?? -1)
        }
        if isLate { return true }
        if let index = temporary(record) {
            set(index, record, start: start)
        } else {
            append(record, start: start)
        }
        return false
    }

    /// - Returns: whether it was a repeat.
    private mutating func saveComplete(_ record: ModelRequest.Record, isFirst: Bool) -> Bool {
        let same = logs.firstIndex {
            $0.device == record.device && $0.flag != nil && $0.file == record.file && $0.start == record.date
        }
        if let file = record.file { count(file, of: record, isRepeat: same != nil) }
        if let same {
            if logs[same].child == record.child { set(same, record, start: record.date) }
            return true
        }
        if isFirst, let index = temporary(record) {
            logs[index].temporaryStart = logs[index].start
            logs[index].temporaryTime = logs[index].time
            set(index, record, start: record.date)
        } else {
            append(record, start: record.date)
        }
        return false
    }

    /// The rules of `last_log_file_id`, before the record is stored.
    private mutating func count(_ file: Int64, of record: ModelRequest.Record, isRepeat: Bool) {
        let device = devices[record.device]
        let numbered = logs.filter { $0.device == record.device && $0.flag != nil && $0.file != nil }
        let isLatest = !numbered.isEmpty && numbered.allSatisfy { $0.start < record.date }
        if !isRepeat, isLatest, file < device.lastLogFileID {
            devices[record.device].lastLogFileID = file
            devices[record.device].restart = record.date
        } else if record.date >= device.restart ?? .min {
            devices[record.device].lastLogFileID = max(device.lastLogFileID, file)
        }
    }

    private mutating func set(_ index: Int, _ record: ModelRequest.Record, start: Int) {
        var log = logs[index]
        log.file = record.flag == nil ? nil : record.file
        log.start = start
        log.flag = record.flag
        log.intensity = record.intensity
        log.time = record.time
        log.detail = record.storedDetail
        logs[index] = log
    }

    private mutating func append(_ record: ModelRequest.Record, start: Int) {
        logs.append(
            Log(
                device: record.device, child: record.child, file: record.flag == nil ? nil : record.file, start: start,
                flag: record.flag, intensity: record.intensity, time: record.time, detail: record.storedDetail))
    }
}

/// Status and body of a response.
struct ModelResponse: Equatable, Sendable, CustomStringConvertible {
    var status: Int
    var body: String

    static let notAuthorized = error(401, "Not authorized user")

    static func error(_ status: Int, _ detail: String) -> ModelResponse {
        ModelResponse(status: status, body: #"{"detail":"\#(detail)"}"#)
    }

    static func json(_ body: String) -> ModelResponse { ModelResponse(status: 200, body: body) }

    var description: String { "\(status) \(body)" }
}
