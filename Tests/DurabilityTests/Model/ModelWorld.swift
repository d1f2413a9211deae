import LUXTestSupport

/// A world in a real database, beside its model.
struct ModelWorld {
    let world: World
    let names: WorldNames
    private let tokens: [String]
    private let ids: [String]

    /// Two families, a user without children, devices of every kind.
    static let model = WorldModel(
        phones: [true, true, false],
        children: [
            .init(user: 0, firstName: "Minjun"), .init(user: 0, firstName: "Seoyeon"),
            .init(user: 1, firstName: "Haru"),
        ],
        devices: [
            .init(child: 0), .init(child: 0, serialCode: "SN-1", macID: "AC:DE:48:00:41:AD"), .init(child: 1),
            .init(child: 2, macID: "41AE"), .init(), .init(serialCode: "SN-2"),
        ])

    init(_ world: World) throws {
        self.world = world
        let model = Self.model
        let users = try model.phones.map { try world.user(phone: $0 ? "+821012345678" : nil) }
        let children = try model.children.map { try world.child(of: users[$0.user], first: $0.firstName) }
        let devices = try model.devices.enumerated().map { place, device in
            // Connected one after the other, as the model has it.
            try world.device(
                of: device.child.map { children[$0] }, serial: device.serialCode, mac: device.macID,
                connected: "2025-01-01T00:00:0\(place)Z")
        }
        ids = ["{\(devices.map { String($0.id) }.joined(separator: ","))}"]
        let created = try world.sql.query(
            """
            select to_char(date_trunc('milliseconds', created_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
            from devices where id = any($1::bigint[]) order by id
            """, ids
        ).compactMap { $0.first ?? nil }
        names = WorldNames(users: users, children: children, devices: devices, created: created)
        tokens = users.indices.map { Token.access(user: users[$0], ttl: 86_400) }
    }

    /// The bytes of a request.
    func bytes(_ request: ModelRequest) -> String {
        let (method, target, body) = request.http(names)
        let token =
            tokens.indices.contains(request.user)
            ? tokens[request.user] : Token.access(user: names.user(request.user), ttl: 86_400)
        return TestServer.request(method, World.api + target, token: token, body: body)
    }

    /// The rows of the tables, in the model's terms, and when each log was changed last.
    func stored(_ sql: SQLSession) throws -> Stored {
        let devices = try sql.query(
            """
            select real_user_id, serial_code, mac_id, device_alias, last_log_file_id, connected_at is not null,
                extract(epoch from log_counter_restart)::bigint
            from devices where id = any($1::bigint[]) order by id
            """, ids
        ).map { row in
            var device = WorldModel.Device(
                child: row[0].flatMap { Int64($0) }.flatMap { names.children.firstIndex(of: $0) }, serialCode: row[1],
                macID: row[2], alias: row[3])
            device.lastLogFileID = row[4].flatMap { Int64($0) } ?? -1
            device.connected = row[5] == "t" ? 1 : 0
            device.restart = row[6].flatMap { Int($0) }.map { $0 - Instant.zero }
            return device
        }
        let logs = try sql.query(
            """
            with mine as materialized (
                -- Each of the three has an index; together they would be found by reading all logs.
                select * from device_logs where device_id = any($1::bigint[]) and finish_flag is null
                union all select * from device_logs
                    where device_id = any($1::bigint[]) and finish_flag is not null and log_file_id is not null
                union all select * from device_logs
                    where device_id = any($1::bigint[]) and finish_flag is not null and log_file_id is null)
            select id, device_id, real_user_id, log_file_id, extract(epoch from treatment_date)::bigint, finish_flag,
                last_intensity, treatment_time, detail_data, extract(epoch from temp_treatment_date)::bigint, updated_at,
                temp_treatment_time
            from mine order by id
            """, ids
        ).map { row in
            StoredLog(
                log: WorldModel.Log(
                    device: row[1].flatMap { Int64($0) }.flatMap { id in names.devices.firstIndex { $0.id == id } }
                        ?? -1,
                    child: row[2].flatMap { Int64($0) }.flatMap { names.children.firstIndex(of: $0) } ?? -1,
                    file: row[3].flatMap { Int64($0) }, start: (row[4].flatMap { Int($0) } ?? 0) - Instant.zero,
                    flag: row[5].flatMap { Int($0) }, intensity: row[6].flatMap { Int($0) } ?? -1,
                    time: row[7].flatMap { Int($0) } ?? -1, detail: row[8] ?? "",
                    temporaryStart: row[9].flatMap { Int($0) }.map { $0 - Instant.zero },
                    temporaryTime: row[11].flatMap { Int($0) }),
                id: row[0] ?? "", updatedAt: row[10] ?? "")
        }
        let users = "{\(names.users.map { String($0) }.joined(separator: ","))}"
        let messages = try sql.integer(
            "select count(*) from alimtalks where user_id = any($1::bigint[]) and status = 'sent'", [users])
        let connected = try sql.query(
            "select id from devices where id = any($1::bigint[]) and real_user_id is not null order by connected_at, id",
            ids
        ).compactMap { row in row[0].flatMap { Int64($0) }.flatMap { id in names.devices.firstIndex { $0.id == id } } }
        return Stored(devices: devices, logs: logs, messages: Int(messages), connected: connected)
    }

    struct Stored {
        var devices: [WorldModel.Device]
        var logs: [StoredLog]
        var messages: Int
        /// The connected devices in the order of their connecting.
        var connected: [Int]
    }

    /// How tables and model differ; `nil` when they do not.
    static func difference(of stored: Stored, from model: WorldModel) -> String? {
        for (place, device) in model.devices.enumerated() {
            var expected = device
            expected.connected = min(1, expected.connected)
            guard place < stored.devices.count, stored.devices[place] == expected else {
                return "device \(place): stored \(stored.devices[place]), expected \(expected)"
            }
        }
        let logs = model.logs.map { log in
            var log = log
            log.version = 0
            return log
        }
        // Ids grow with time for each device; between devices they say nothing.
        let byDevice = stored.logs.map(\.log).enumerated().sorted {
            ($0.element.device, $0.offset) < ($1.element.device, $1.offset)
        }
        let expected = logs.enumerated().sorted { ($0.element.device, $0.offset) < ($1.element.device, $1.offset) }
        guard byDevice.map(\.element) == expected.map(\.element) else {
            return "logs: stored \(stored.logs.map(\.log)), expected \(logs)"
        }
        let connected = model.devices.indices.filter { model.devices[$0].child != nil }
            .sorted { model.devices[$0].connected < model.devices[$1].connected }
        guard stored.connected == connected else {
            return "connected: stored \(stored.connected), expected \(connected)"
        }
        guard stored.messages == model.messages.count else { return "messages: stored \(stored.messages)" }
        return nil
    }

    struct StoredLog {
        var log: WorldModel.Log
        var id: String
        var updatedAt: String
    }
}
