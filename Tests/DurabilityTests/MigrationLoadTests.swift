import Foundation
import Glibc
import LUXTestSupport
import Testing

/// The last migration of the program, and one with a backfill in batches, as CONTRIBUTING asks for it, while phones upload and read.
///
/// `LUX_MIGRATED_LOGS` changes how many logs there are; see `Scripts/drill-migration`.
@Suite struct MigrationLoadTests {
    private static let drill = ProcessInfo.processInfo.environment["LUX_MIGRATED_LOGS"].flatMap { Int($0) }
    private static var logs: Int { drill ?? 30_000 }
    /// Seconds; the small form shares its machine with other tests.
    private static var limit: Double { drill == nil ? 5 : 1 }

    /// A column, its backfill, an index: three files, as a release would bring them.
    private static let files = [
        "9001_add_minutes.sql": """
        -- compatible
        alter table device_logs add column treatment_minutes integer;
        """,
        "9002_fill_minutes.sql": """
        -- no transaction
        -- compatible
        do $$
        declare
            first bigint := 0;
            last bigint := (select max(id) from device_logs);
        begin
            while first <= last loop
                update device_logs set treatment_minutes = treatment_time / 60
                where id >= first and id < first + 2000 and treatment_minutes is null;
                commit;
                perform pg_sleep(0.01);
                first := first + 2000;
            end loop;
        end
        $$;
        """,
        "9003_index_minutes.sql": """
        -- no transaction
        -- compatible
        create index concurrently device_logs_minutes_idx on device_logs (treatment_minutes);
        """,
    ]

    private struct Readings {
        var statuses: [Int: Int] = [:]
        var slowest = 0.0

        mutating func add(_ status: Int, _ seconds: Double) {
            statuses[status, default: 0] += 1
            slowest = max(slowest, seconds)
        }
    }

    @Test func `a migration with a backfill lets every request through in time`() async throws {
        try await onThread {
            let cluster = try TestCluster(isDurable: Self.drill != nil)
            defer { cluster.stop() }
            let database = try TestDatabase.makeEmpty(in: cluster)
            // A server that does not know the last migration of the program.
            let known = try makeTemporaryFolder() + "/Migrations"
            try FileManager.default.copyItem(atPath: Locations.migrations, toPath: known)
            let last = try #require(FileManager.default.contentsOfDirectory(atPath: known).max())
            try FileManager.default.removeItem(atPath: "\(known)/\(last)")
            let server = try TestServer.migrating(database, environment: ["LUX_MIGRATIONS": known])
            let world = try World(database, server)
            let families = try (0..<8).map { _ in try world.family() }
            try Self.insert(Self.logs, families, world.sql)
            let next = try makeTemporaryFolder() + "/Migrations"
            try FileManager.default.copyItem(atPath: Locations.migrations, toPath: next)
            for (name, sql) in Self.files {
                try sql.write(toFile: "\(next)/\(name)", atomically: true, encoding: .utf8)
            }

            let (readings, stopped, finished) = (Guarded(Readings()), Flag(), Flag())
            let port = server.port
            Thread.detachNewThread {
                _ = try? simultaneously(families.count) { try Self.use(families[$0], port, until: stopped, readings) }
                finished.set()
            }
            Thread.sleep(forTimeInterval: 1)
            let begin = Date()
            let migrate = try ChildProcess(
                Locations.server, ["migrate"],
                environment: LUXCommand.environment(["DATABASE_URL": database.connectionString])
                    .merging(["LUX_MIGRATIONS": next]) { $1 })
            let ending = migrate.wait(seconds: 7_200)
            let duration = Date().timeIntervalSince(begin)
            #expect(ending == .exit(0), "\(migrate.output)\(migrate.errors)")
            Thread.sleep(forTimeInterval: 1)
            stopped.set()
            while !finished.isSet { usleep(10_000) }

            let result = readings.withLock { $0 }
            #expect(result.statuses.keys.sorted() == [200], "\(result.statuses)")
            #expect(result.slowest < Self.limit, "\(result.slowest) s")
            #expect(
                try world.sql.integer(
                    """
                    select count(*) from device_logs where treatment_minutes is null
                    and id <= (select max(id) from device_logs where treatment_minutes is not null)
                    """) < 5_000)
            #expect(
                try world.sql.integer(
                    "select indisvalid::int from pg_index where indexrelid = 'device_logs_minutes_idx'::regclass")
                    == 1)
            // All of it is compatible: the old server is ready.
            #expect(try server.call("GET", "/readyz").status == 200)
            server.stop()
            print(
                "migration of \(Self.logs) logs: \(Int(duration)) s, responses \(result.statuses), slowest"
                    + " \(Int(result.slowest * 1_000)) ms")
        }
    }

    /// Complete logs, in a statement for each hundred thousand.
    private static func insert(
        _ count: Int, _ families: [(user: Int64, child: Int64, device: World.Device)], _ sql: SQLSession
    ) throws {
        for family in families {
            var first = 0
            let share = count / families.count
            while first < share {
                let last = min(first + 100_000, share)
                try sql.script(
                    """
                    insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag,
                        last_intensity, treatment_time, detail_data)
                    select \(family.device.id), \(family.child), n, '2020-01-01'::timestamptz + n * interval '1 minute', 1, 3,
                        1200, '{"treatment_date":"2020-01-01T00:00:00Z","finish_flag":1}'
                    from generate_series(\(first), \(last - 1)) n
                    """)
                first = last
            }
            try sql.script("update devices set last_log_file_id = \(share) where id = \(family.device.id)")
        }
        try sql.script("analyze device_logs")
    }

    /// One phone: an upload, its device, its logs, and the probe of a load balancer, again and again.
    private static func use(
        _ family: (user: Int64, child: Int64, device: World.Device), _ port: UInt16, until stopped: Flag,
        _ readings: Guarded<Readings>
    ) throws {
        let token = Token.access(user: family.user, ttl: 86_400)
        let client = Guarded<HTTPClient?>(nil)
        var file = Int64(100_000_000)
        while !stopped.isSet {
            file += 1
            let record = World.record(
                child: family.child, device: family.device, date: "2025-05-01T10:00:00Z", flag: 1, file: file)
            for (method, target, body) in [
                ("POST", World.api + "devlog", World.logArrays([record])),
                ("GET", World.api + "child-device?real_user_id=\(family.child)", nil),
                ("GET", World.api + "usage-logs?real_user_id=\(family.child)&limit=20", nil), ("GET", "/readyz", nil),
            ] as [(String, String, String?)] {
                let begin = Date()
                let status: Int
                do {
                    let connection = try client.withLock { $0 } ?? HTTPClient(port: port, timeout: 30)
                    client.withLock { $0 = connection }
                    try connection.send(TestServer.request(method, target, token: token, body: body))
                    status = try connection.receive().status
                } catch {
                    client.withLock { $0 = nil }
                    status = 0
                }
                readings.withLock { $0.add(status, Date().timeIntervalSince(begin)) }
                usleep(5_000)
            }
        }
    }
}
