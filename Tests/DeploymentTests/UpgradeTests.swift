import Foundation
import LUXTestSupport
import Testing

/// The upgrade with a migration, and the way back, as docs/operations.md describes them.
@Suite struct UpgradeTests {
    /// The migrations of this release and one more.
    private func nextRelease() throws -> String {
        let folder = try makeTemporaryFolder() + "/Migrations"
        try FileManager.default.copyItem(atPath: Locations.migrations, toPath: folder)
        try "create table next (id bigint);".write(toFile: folder + "/9999_next.sql", atomically: true, encoding: .utf8)
        return folder
    }

    @Test func `the old server serves on behind a migration, is not ready, and cannot be started again`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let old = try TestServer(database)
            let world = try World(database, old)
            let (user, child, device) = try world.family()
            #expect(try old.call("GET", "/readyz").status == 200)
            let next = ["LUX_MIGRATIONS": try nextRelease(), "DATABASE_URL": database.connectionString]
            let early = try LUXCommand.run(["serve"], environment: next.merging(Self.serving) { $1 })
            #expect(early.ending == .exit(1) && early.everything.contains("9999_next.sql"), "\(early.everything)")
            #expect(try LUXCommand.run(["migrate"], environment: next).output == "applied 9999_next.sql\n")

            let new = try TestServer(database, environment: next)
            #expect(try new.call("GET", "/readyz").status == 200)
            #expect(try old.call("GET", "/readyz").status == 503)
            #expect(try old.call("GET", "/healthz").status == 200)
            let record = World.record(child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: 1)
            #expect(try world.upload([record], as: user).status == 200)
            old.stop()
            let again = try LUXCommand.run(
                ["serve"],
                environment: ["DATABASE_URL": database.connectionString].merging(Self.serving) { $1 })
            #expect(again.ending == .exit(1) && again.everything.contains("9999_next.sql"), "\(again.everything)")
            new.stop()
        }
    }

    private static let serving = ["LUX_JWT_SECRET": Token.secret, "LUX_HOST": "127.0.0.1", "LUX_PORT": "0"]
}
