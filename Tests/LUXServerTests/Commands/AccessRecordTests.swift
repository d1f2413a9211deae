import Foundation
import LUXTestSupport
import Testing

/// `access_records`
@Suite struct AccessRecordTests {
    /// Commands that access no person's data, and those of `alimtalk`, whose rows have an operator of their own.
    private static let withoutRecord: Set = [
        "serve", "migrate", "dev", "doctor", "config check", "alimtalk test", "alimtalk reconcile", "alimtalk settle",
        "alimtalk report",
    ]

    /// The arguments of each other command, in an order in which all succeed.
    private func arguments(_ world: World) throws -> [(command: String, arguments: [String], action: String)] {
        let (user, child, device) = try world.family()
        let record = World.record(child: child, device: device, date: "2025-02-01T00:00:00Z", flag: 1, file: 1)
        #expect(try world.upload([record], as: user).status == 200)
        try world.sql.script(
            """
            insert into alimtalks (user_id, provider, status, created_at)
            values (\(user), 'log', 'sent', now() - interval '400 days')
            """)
        let folder = try makeTemporaryFolder()
        try "unique_id\nof-a-record\n".write(toFile: folder + "/devices.csv", atomically: true, encoding: .utf8)
        let span = ["--from", "2025-01-01", "--to", "2026-01-01"]
        return [
            ("token", ["--user", "\(user)", "--yes"], "token"),
            ("provision", ["devices", folder + "/devices.csv"], "provision devices"),
            ("export logs", span, "export logs"), ("export oversized", [], "export oversized"),
            ("device show", [device.unique], "device show"),
            ("device set-codes", [device.unique, "--serial-code", "SN-77"], "device set-codes"),
            ("device clear-codes", [device.unique], "device clear-codes"),
            ("device reset-log-counter", [device.unique], "device reset-log-counter"),
            ("device disconnect", [device.unique], "device disconnect"),
            ("retention run", [], "retention run"), ("child export", ["\(child)"], "child export"),
            ("user export", ["\(user)"], "user export"), ("child erase", ["\(child)"], "child erase"),
            ("user erase", ["\(user)"], "user erase"),
        ]
    }

    @Test func `each command that accesses data of a person leaves a record with operator and host`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let world = try World(database, TestServer(database))
            let arguments = try arguments(world)
            let commands = try CommandOutputTests.commands().map(\.path)
            #expect(Set(commands).subtracting(Self.withoutRecord) == Set(arguments.map(\.command)))
            var last = try world.sql.integer("select coalesce(max(id), 0) from access_records")
            for (command, arguments, action) in arguments {
                let run = try LUXCommand.run(
                    command.split(separator: " ").map { String($0) } + arguments + ["--operator", "Kim"],
                    environment: [
                        "DATABASE_URL": database.connectionString, "LUX_JWT_SECRET": Token.secret,
                        "LUX_RETENTION_MESSAGES": "365",
                    ])
                #expect(run.ending == .exit(0), "\(command): \(run.everything)")
                let rows = try world.sql.query(
                    """
                    select id, action, operator, host <> '', subject <> '', finished_at is not null from access_records
                    where id > $1 and action = $2
                    """, [String(last), action])
                #expect(rows.count == 1, "\(command): \(rows)")
                #expect(rows.first?.dropFirst() == [action, "Kim", "t", "t", "t"], "\(command): \(rows)")
                last = try world.sql.integer("select max(id) from access_records")
            }
            world.server.stop()
        }
    }
}
