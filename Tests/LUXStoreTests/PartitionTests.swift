import Foundation
import LUXTestSupport
import Testing

/// The store on `device_logs` in partitions by range of `treatment_date` (`Scripts/partition-device-logs.sql`).
@Suite struct PartitionTests {
    private static func script() throws -> String {
        try String(contentsOfFile: Locations.package + "/Scripts/partition-device-logs.sql", encoding: .utf8)
            .replacing("BOUNDARY", with: "2025-06-01T00:00:00Z").replacing("END", with: "2025-07-01T00:00:00Z")
    }

    /// Each treatment of the history begins before the boundary or ends after it.
    private static func history(_ world: World, _ child: Int64, _ device: World.Device) -> [[String]] {
        func record(_ date: String, _ flag: Int? = nil, _ file: Int64? = nil, time: Int = 60) -> [String] {
            [World.record(child: child, device: device, date: date, flag: flag, time: time, file: file)]
        }
        return [
            record("2025-05-31T23:50:30Z"), record("2025-05-31T23:50:30Z", time: 120),
            // Completed in another partition, then sent again, then a late repeat.
            record("2025-06-01T00:00:10Z", 1, 1), record("2025-06-01T00:00:10Z", 1, 1), record("2025-05-31T23:50:30Z"),
            record("2025-06-30T23:59:59Z", 2, 2), record("2025-07-01T00:00:00Z"), record("2025-05-01T00:00:00Z"),
            record("2025-07-02T00:00:00Z", 3, 3), record("2025-04-01T00:00:00Z", 1, 1),
            record("2025-04-01T00:00:00Z", 1, nil) + record("2025-08-01T00:00:00Z", 1, nil),
        ]
    }

    @Test func `uploads are stored on partitions as in one table, and are read back`() async throws {
        try await onThread {
            let worlds = [try World.own(), try World.own()]
            var outcomes: [[String]] = []
            try Self.expectVacuumSettings(of: worlds[0], parts: 1)
            for (place, world) in worlds.enumerated() {
                let (user, child, device) = try world.family()
                let before = World.record(child: child, device: device, date: "2025-03-01T00:00:00Z", flag: 1, file: 9)
                #expect(try world.upload([before], as: user).status == 200)
                if place == 1 {
                    for part in try Self.script().split(separator: "-- step: ").dropFirst() {
                        try world.sql.script(String(part.drop { $0 != "\n" }))
                    }
                }
                var seen: [String] = []
                for records in Self.history(world, child, device) {
                    let reply = try world.upload(records, as: user)
                    seen.append("\(reply.status) \(try world.lastLogFileID(of: device))")
                    seen += try world.logs(of: device).map { $0.replacing(/^\d+/, with: "child") }.sorted()
                }
                let page = try world.call("GET", "usage-logs?real_user_id=\(child)", as: user)
                #expect(page.status == 200)
                seen.append(
                    page.text.replacing(/"(id|device_id|real_user_id|created_at|updated_at|cursor)":[^,}]*/, with: ""))
                outcomes.append(seen)
                if place == 1 {
                    let parts = try world.sql.integer(
                        "select count(distinct tableoid) from device_logs")
                    #expect(parts == 3)
                    try Self.expectVacuumSettings(of: world, parts: 3)
                }
            }
            #expect(outcomes[0] == outcomes[1])
            for world in worlds { world.server.stop() }
        }
    }

    /// A table that becomes partitions has them too, whether before or after the migration that sets them.
    private static func expectVacuumSettings(of world: World, parts: Int64) throws {
        let count = """
            select count(*) from pg_class
            where relkind = 'r' and relname in ('device_logs', 'device_logs_first', 'device_logs_second', 'device_logs_third')
              and reloptions @> '{fillfactor=90,autovacuum_vacuum_scale_factor=0.05,autovacuum_vacuum_insert_scale_factor=0.05}'
            """
        #expect(try world.sql.integer(count) == parts)
        for row in try world.sql.query("select relid::regclass from pg_partition_tree('device_logs') where isleaf") {
            try world.sql.script("alter table \(try #require(row[0])) reset (autovacuum_vacuum_scale_factor)")
        }
        let migration = "/Migrations/0008_autovacuum_of_device_logs.sql"
        try world.sql.script(String(contentsOfFile: Locations.package + migration, encoding: .utf8))
        #expect(try world.sql.integer(count) == parts)
    }
}
