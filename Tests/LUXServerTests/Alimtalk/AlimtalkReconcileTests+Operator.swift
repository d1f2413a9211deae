import Foundation
import Glibc
import LUXTestSupport
import Testing

/// What an operator decides about messages, and what is recorded of it.
extension AlimtalkReconcileTests {
    @Test func `an operator closes a row that is open, and no other`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let world = try World(database, World.sharedServer)
            let user = try world.user(phone: "+821093847561")
            func settle(_ arguments: String...) throws -> LUXCommand {
                try LUXCommand.run(
                    ["alimtalk", "settle"] + arguments, environment: ["DATABASE_URL": database.connectionString])
            }
            let rows = [
                ("unknown", "1 minute"), ("pending", "1 minute"), ("pending", "1 second"), ("sent", "1 minute"),
            ]
            for (status, age) in rows { _ = try row(world, .sens, status, age: age, user: user) }
            try world.sql.query("update alimtalks set error = 'sens: HTTP 504' where id = 1")
            for (id, status, exit, expected) in [
                ("1", "sent", Int32(0), "1 sent, settled by kim"), ("2", "failed", 0, "2 failed, settled by kim"),
                ("3", "failed", 1, "3 may be in flight"), ("4", "failed", 1, "4 is sent already"),
                ("1", "failed", 1, "1 is sent already"), ("5", "sent", 1, "no message 5"),
            ] {
                let run = try settle(id, status, "--operator", "kim")
                #expect(run.ending == .exit(exit) && run.everything.contains(expected), "\(run.everything)")
            }
            #expect(
                try world.sql.query("select status, error from alimtalks order by id") == [
                    ["sent", "sens: HTTP 504; settled as sent by kim"], ["failed", "settled as failed by kim"],
                    ["pending", nil], ["sent", nil],
                ])
            for arguments in [
                ["1", "sent"], ["1", "unknown", "--operator", "kim"], ["1", "sent", "--operator", " "],
            ] {
                #expect(
                    try LUXCommand.run(
                        ["alimtalk", "settle"] + arguments, environment: ["DATABASE_URL": database.connectionString]
                    ).ending == .exit(64))
            }
        }
    }

    @Test(arguments: [AlimtalkKit.sens, .aligo])
    func `a message to a number that the account no longer has stays open until an operator settles it`(
        _ kit: AlimtalkKit
    ) async throws {
        try await onThread {
            let provider = try FakeProvider(.resetAfter)
            let database = try TestDatabase.make()
            let world = try World(
                database, try TestServer(database, environment: kit.environment(provider.baseURL)))
            let user = try world.user(phone: "+821093847561")
            expect(try world.call("POST", "alimtalk", as: user), 409, "Alimtalk send failed")
            let sent = try #require(provider.requests.first)
            // Aligo's history is final after a day, and the text has the row's minute in it.
            try world.sql.query("update users set phone_number = '+821055556666' where id = $1", [String(user)])
            provider.reset(responding: { request in
                // The list by the new number has none.
                request.target.contains("&to=") ? .reply(404, "") : .reply(200, Self.listed(kit, sent, request))
            })
            let environment = kit.environment(
                provider.baseURL,
                [
                    "DATABASE_URL": database.connectionString, "LUX_REQUEST_TIMEOUT": "0.5",
                    "LUX_ALIMTALK_TIMEOUT": "0.5",
                ])
            Thread.sleep(forTimeInterval: 1.1)
            let run = try LUXCommand.run(["alimtalk", "reconcile", "--older-than", "0"], environment: environment)
            #expect(try rows(world) == [["unknown", nil]], "\(run.everything)")
            if kit == .sens {
                #expect(run.ending == .exit(1) && run.output.contains("another number"), "\(run.everything)")
            } else {
                #expect(run.ending == .exit(0) && run.output.contains(" waits: "), "\(run.everything)")
            }
            let settled = try LUXCommand.run(
                ["alimtalk", "settle", "1", "sent", "--operator", "kim"],
                environment: [
                    "DATABASE_URL": database.connectionString, "LUX_REQUEST_TIMEOUT": "0.5",
                    "LUX_ALIMTALK_TIMEOUT": "0.5",
                ])
            #expect(try settled.ending == .exit(0) && rows(world)[0][0] == "sent", "\(settled.everything)")
            world.server.stop()
        }
    }

    @Test func `test, reconcile and settle leave access records, and without one nothing is sent or changed`()
        async throws
    {
        try await onThread {
            let kit = AlimtalkKit.nhn
            let (database, provider) = (try TestDatabase.make(), try FakeProvider(kit.accepted.reply))
            let world = try World(database, World.sharedServer)
            let user = try world.user(phone: "+821093847561")
            let environment = kit.environment(provider.baseURL, ["DATABASE_URL": database.connectionString])
            func run(_ arguments: String...) throws -> LUXCommand {
                try LUXCommand.run(["alimtalk"] + arguments + ["--operator", "kim"], environment: environment)
            }
            func records() throws -> [[String?]] {
                try world.sql.query(
                    """
                    select operator, action, subject, user_id, count, finished_at is not null and host <> ''
                    from access_records order by id
                    """)
            }
            // Nothing is sent or looked up, so nothing is recorded.
            #expect(try run("test", "--to", "01093847561", "--dry-run").ending == .exit(0))
            #expect(try run("reconcile").ending == .exit(0))
            #expect(try run("settle", "1", "sent").ending == .exit(1))
            #expect(try records() == [])

            #expect(try run("test", "--to", "01093847561").ending == .exit(0))
            for _ in 0..<2 { _ = try row(world, kit, "unknown", age: "5 minutes", user: user) }
            provider.reset(to: .reply(500, ""))
            #expect(try run("reconcile").ending == .exit(1))
            #expect(try run("settle", "1", "sent").ending == .exit(0))
            #expect(
                try records() == [
                    ["kim", "alimtalk test", "test message to +8210****7561 by nhn", nil, "1", "t"],
                    ["kim", "alimtalk reconcile", "messages of nhn", nil, "2", "t"],
                    ["kim", "alimtalk settle", "message 1", String(user), "1", "t"],
                ])

            try world.sql.script("drop table access_records")
            provider.reset(to: kit.accepted.reply)
            for arguments in [["test", "--to", "01093847561"], ["reconcile"], ["settle", "2", "sent"]] {
                let run = try LUXCommand.run(
                    ["alimtalk"] + arguments + ["--operator", "kim"], environment: environment)
                #expect(run.ending != .exit(0) && run.errors.contains("no table access_records"), "\(run.everything)")
            }
            #expect(provider.connections == 0)
            #expect(try rows(world) == [["sent", nil], ["unknown", nil]])
        }
    }
}
