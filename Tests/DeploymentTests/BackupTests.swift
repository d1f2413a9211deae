import Foundation
import LUXTestSupport
import Testing

/// pg_dump and pg_restore, as docs/operations.md has them.
@Suite struct BackupTests {
    /// The parts of the database, with its rules and rights.
    private static let schema = """
        select 'index ' || indexdef from pg_indexes where schemaname = 'public'
        union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
            where connamespace = 'public'::regnamespace
        union all select concat_ws(' ', 'column', table_name, column_name, data_type, is_nullable, column_default,
            is_identity, identity_generation) from information_schema.columns where table_schema = 'public'
        union all select concat_ws(' ', 'relation', relname, pg_get_userbyid(relowner), relacl::text, reloptions::text)
            from pg_class where relnamespace = 'public'::regnamespace
        order by 1
        """

    @Test func `a dump taken under load is restored with every upload that had its response before it`() async throws {
        try await onThread {
            let old = try Installation()
            let new = try Installation()
            defer { for installation in [old, new] { installation.cluster.stop() } }
            #expect(try old.run("lux_owner", ["migrate"]).ending == .exit(0))
            try old.grant()
            let server = try old.serve()
            let world = try World(old.database, server)
            let (user, child, device) = try world.family()
            let record = World.record(child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: 7)
            #expect(try world.upload([record], as: user).status == 200)
            let log = try world.everything(of: device)

            let load = try UploadLoad(world)
            let stopped = Flag()
            let port = server.port
            let clients = Task.detached { try await onThread { try load.run(until: stopped) { _ in port } } }
            func waitForMore(than count: Int) {
                let deadline = Date(timeIntervalSinceNow: 300)
                while load.acknowledged.count <= count, Date() < deadline { usleep(5_000) }
            }
            waitForMore(than: 30)
            let acknowledged = load.acknowledged
            let file = try Self.dump(of: old)
            waitForMore(than: acknowledged.count)
            stopped.set()
            #expect(load.acknowledged.count > acknowledged.count && acknowledged.count > 30)

            let restore = try OperationsPage.block(containing: "pg_restore").split(separator: "\n")
                .filter { !$0.contains("doctor") }.joined(separator: "\n")
            let restored = try new.shell(
                restore.replacing([
                    "/var/backups/lux/lux-2026-01-31.dump": file,
                    "/opt/lux/current": Locations.package,
                ]))
            #expect(restored.wait(seconds: 120) == .exit(0), "\(restored.errors)")
            let status = try new.run("lux", ["migrate", "--status"])
            #expect(status.ending == .exit(0) && !status.output.contains("not applied"), "\(status.everything)")
            let sql = try new.database.session()
            #expect(try sql.query(Self.schema) == (try old.database.session().query(Self.schema)))
            #expect(try load.lost(acknowledged, in: sql) == 0)
            let torn = try sql.integer(
                """
                select count(*) from (select from device_logs where device_id <> $1
                    group by device_id, (log_file_id - 1) / 3 having count(*) <> 3) t
                """, [String(device.id)])
            #expect(torn == 0)

            let second = try new.serve()
            let there = try World(new.database, second)
            #expect(try second.call("GET", "/readyz").status == 200)
            #expect(try there.everything(of: device) == log)
            #expect(try there.upload([record], as: user).status == 200)
            #expect(try there.everything(of: device) == log, "a repeat is still a repeat")
            for table in ["users", "real_users", "devices", "device_logs"] {
                let behind = "select coalesce(max(id), 0) - nextval(pg_get_serial_sequence($1, 'id')) from \(table)"
                #expect(try sql.integer(behind, [table]) < 0, "the sequence of \(table) goes on")
            }
            let next = World.record(child: child, device: device, date: "2025-05-02T10:00:00Z", flag: 1, file: 8)
            #expect(try there.upload([next], as: user).status == 200)
            #expect(try there.logs(of: device).count == 2 && there.lastLogFileID(of: device) == 8)
            for server in [server, second] { server.stop() }
            withExtendedLifetime(clients) {}
        }
    }

    /// The page's dump, in a folder of its own.
    private static func dump(of installation: Installation, to folder: String? = nil) throws -> String {
        let folder = try folder ?? makeTemporaryFolder() + "/lux"
        let process = try installation.shell(
            OperationsPage.block(containing: "pg_dump").replacing(["/var/backups/lux": folder]))
        let ending = process.wait(seconds: 120)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        guard ending == .exit(0) else { throw DumpFailure(files: files) }
        let file = try #require(files.first)
        #expect(files.count == 1 && file.wholeMatch(of: /lux-\d{4}-\d\d-\d\d\.dump/) != nil, "\(files)")
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(folder) == 0o700 && mode("\(folder)/\(file)") == 0o600)
        return "\(folder)/\(file)"
    }

    private struct DumpFailure: Error {
        var files: [String]
    }

    @Test func `a failed dump gets no name, and leaves the dump of the same day in place`() throws {
        let installation = try Installation()
        let folder = try makeTemporaryFolder() + "/lux"
        let file = try Self.dump(of: installation, to: folder)
        let whole = try Data(contentsOf: URL(fileURLWithPath: file))
        installation.cluster.stop()
        let failure = #expect(throws: DumpFailure.self) { try Self.dump(of: installation, to: folder) }
        #expect(failure?.files.filter { $0.hasSuffix(".dump") }.count == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == whole)
    }
}
