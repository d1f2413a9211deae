import Foundation
import LUXAPI
import LUXTestSupport
import Testing

/// The indexes: with 100,000 devices and 1,000,000 logs no endpoint reads a whole table. `LUX_GROWTH_LOGS` sets another number.
@Suite struct QueryPlanTests {
    private static let logs = ProcessInfo.processInfo.environment["LUX_GROWTH_LOGS"].flatMap { Int($0) } ?? 1_000_000
    /// Logs of each device, the last one of them temporary.
    private static let each = logs / 100_000

    private static let rows = """
        insert into users (phone_number) select '+8210' || (10000000 + n) from generate_series(1, 50000) n;
        insert into real_users (root_user_id, first_name, last_name, birthdate, gender)
            select 1 + n / 2, 'first', 'last', '20190305', 'F' from generate_series(0, 99999) n;
        insert into projects (name) select 'p' || n from generate_series(1, 1000) n;
        insert into hardwares (project_id, name) select n, 'h' || n from generate_series(1, 1000) n;
        insert into firmwares (hardware_id, version) select 1 + n % 1000, '1.' || n from generate_series(1, 5000) n;
        insert into devices (real_user_id, project_id, hardware_id, now_firmware_id, unique_id, connected_at)
            select case when n % 10 = 0 then null else n end, 1 + n % 1000, 1 + n % 1000, 1 + n % 5000, 'unit-' || n,
                case when n % 10 = 0 then null else now() end
            from generate_series(1, 100000) n;
        insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, last_intensity,
                treatment_time, detail_data, temp_treatment_date)
            select n / \(each), n / \(each), case when n % \(each) < \(each - 1) then n % \(each) end,
                timestamptz '2025-01-01T00:00:00Z' + n % \(each) * interval '1 day' * 10 / \(each),
                case when n % \(each) = \(each - 1) then null else 1 end, 1, 1, '{}',
                case when n % \(each) = 5 then timestamptz '2025-01-02T00:00:00Z' end
            from generate_series(\(each), \(logs + each - 1)) n where n / \(each) % 10 > 0;
        insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, last_intensity,
                treatment_time, detail_data)
            select 1 + n, 1, 100, timestamptz '2025-03-01T00:00:00Z', 1, 1, 1, '{}' from generate_series(1, 99999) n;
        """

    @Test func `reads no table as a whole at any endpoint`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let world = try World(database, World.sharedServer)
            try world.sql.script(Self.rows)
            try world.sql.script("vacuum (analyze)")
            #expect(try world.sql.integer("select count(*) from device_logs") >= Int64(Self.logs) * 9 / 10 + 99_000)

            for requests in Endpoint.allCases.flatMap(Self.requests) {
                let name = requests.name
                let before = try scans(world.sql)
                let server = try TestServer(database, environment: ["LUX_DB_POOL": "2"])
                let client = try server.connect()
                for round in 0..<12 {
                    // More often than the five runs after which PostgreSQL may settle on a generic plan.
                    let (text, status) = requests.request(round)
                    try client.send(text)
                    let reply = try client.receive()
                    #expect(reply.status == status, "\(name) → \(reply.summary)")
                }
                server.stop()
                // A session's counts are complete when the session has ended.
                for _ in 0..<100 where try world.sql.integer(Self.sessions) > 0 { Thread.sleep(forTimeInterval: 0.02) }
                let after = try scans(world.sql)
                #expect(after.index != before.index, "\(name): its reads are counted")
                #expect(after.sequential == before.sequential, "\(name) reads a whole table")
            }
            try groupReads(world, database)
        }
    }

    /// Calls of one read at the same time, until each statement for several of them has run more often than the five times after
    /// which PostgreSQL may settle on a generic plan.
    private func groupReads(_ world: World, _ database: TestDatabase) throws {
        let before = try scans(world.sql)
        let server = try TestServer(database, environment: ["LUX_DB_POOL": "2", "LUX_LOOPS": "1"])
        let clients = try (0..<16).map { _ in try server.connect() }
        func executions() throws -> [Int] {
            try server.call("GET", "/metrics").text.split(separator: "\n")
                .filter { $0.hasPrefix("lux_db_statement_duration_seconds_count") && $0.contains("_many") }
                .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        }
        var counts = try executions()
        for round in 0..<500 where counts.contains(where: { $0 < 8 }) {
            for requests in [Endpoint.childDevice, .getAllDevice, .checkDevice].flatMap(Self.requests) {
                let calls = clients.indices.map { requests.request(round * clients.count + $0) }
                for (client, call) in zip(clients, calls) { try client.send(call.0) }
                for (client, call) in zip(clients, calls) {
                    let response = try client.receive()
                    #expect(response.status == call.1, "\(requests.name) → \(response.summary)")
                }
            }
            counts = try executions()
        }
        #expect(counts.count >= 3 && counts.allSatisfy { $0 >= 8 }, "\(counts)")
        server.stop()
        for _ in 0..<100 where try world.sql.integer(Self.sessions) > 0 { Thread.sleep(forTimeInterval: 0.02) }
        let after = try scans(world.sql)
        #expect(after.sequential == before.sequential, "grouped reads read a whole table")
    }

    private static let sessions = """
        select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
        """

    private func scans(_ sql: SQLSession) throws -> (sequential: [String], index: Int64) {
        try sql.query("select pg_stat_force_next_flush()")
        try sql.query("select pg_stat_clear_snapshot()")
        let rows = try sql.query(
            """
            select relname, seq_scan, coalesce(idx_scan, 0) from pg_stat_user_tables
            where relname in ('users', 'real_users', 'projects', 'hardwares', 'firmwares', 'devices', 'device_logs',
                'alimtalks')
            order by relname
            """)
        let sequential = rows.map { "\($0[0] ?? "") \($0[1] ?? "")" }
        return (sequential, rows.reduce(0) { $0 + (Int64($1[2] ?? "") ?? 0) })
    }

    /// Requests to one endpoint.
    private struct Requests {
        var name: String
        /// For each round, the request and its status.
        var request: @Sendable (Int) -> (String, Int)

        init(_ name: String, _ request: @escaping @Sendable (Int) -> (String, Int)) {
            self.name = name
            self.request = request
        }
    }

    /// Child n is user 1 + (n - 1) / 2's and has device n.
    private static func requests(of endpoint: Endpoint) -> [Requests] {
        let name = endpoint.name
        switch endpoint {
        case .childDevice: return [Requests(name) { get("child-device?real_user_id=\(child($0))", $0) }]
        case .getAllDevice: return [Requests(name) { get("get-all-device", $0) }]
        case .checkDevice: return [Requests(name) { get("check-device?unique_id=unit-\(child($0))", $0) }]
        // With un-connect, which disconnects the device before.
        case .setMyDevice: return []
        case .unConnect:
            return [
                Requests("un-connect and set-my-device") { round in
                    let device = "unique_id=unit-\(child(round / 2))&real_user_id=\(child(round / 2))"
                    return round % 2 == 0
                        ? call("PATCH", "un-connect?" + device, round / 2)
                        : call("POST", "set-my-device?serial_code=S&mac_id=41AD&" + device, round / 2)
                }
            ]
        case .updateAlias:
            return [
                Requests(name) { round in
                    let id = child(round)
                    let body = #"{"device_id":\#(id),"real_user_id":\#(id),"device_alias":"x"}"#
                    return call("PATCH", "update-alias", round, body)
                }
            ]
        case .devlog:
            return [
                Requests("devlog, temporary") { upload([record($0, day: 3, flag: nil)], $0) },
                Requests("devlog, complete") { upload([record($0, day: 4, flag: 1)], $0) },
                Requests("devlog, many") { round in upload((1...28).map { record(round, day: $0, flag: 1) }, round) },
            ]
        case .alimtalk: return [Requests(name) { call("POST", "alimtalk", $0) }]
        case .usageLogs:
            return [
                Requests(name) { get("usage-logs?real_user_id=\(child($0))", $0) },
                Requests("usage-logs, device and span") { round in
                    get(
                        "usage-logs?real_user_id=\(child(round))&device_id=\(child(round))&from=2025-01-01T00:00:00Z"
                            + "&to=2026-01-01T00:00:00Z&limit=2", round)
                },
            ]
        }
    }

    private static func upload(_ records: [String], _ round: Int) -> (String, Int) {
        call("POST", "devlog", round, World.logArrays(records))
    }

    private static func child(_ round: Int) -> Int { 40_001 + 37 * round / 10 * 10 + round % 8 }

    private static func get(_ target: String, _ round: Int) -> (String, Int) { call("GET", target, round) }

    private static func call(_ method: String, _ target: String, _ round: Int, _ body: String? = nil) -> (String, Int) {
        let token = Token.access(user: Int64(1 + (child(round) - 1) / 2))
        return (TestServer.request(method, World.api + target, token: token, body: body), 200)
    }

    private static func record(_ round: Int, day: Int, flag: Int?) -> String {
        let id = Int64(child(round))
        return World.record(
            child: id, device: World.Device(id: id, unique: "unit-\(id)"),
            date: "2025-04-\(day < 10 ? "0" : "")\(day)T00:00:00Z", flag: flag, file: flag.map { _ in Int64(200 + day) }
        )
    }
}
