import Foundation
import LUXTestSupport
import Testing

/// How many messages there may be, for all accounts and servers together, and how they are counted.
@Suite struct AlimtalkVolumeTests {
    @Test func `the daily limit holds for all accounts on two servers at once`() async throws {
        try await onThread {
            let kit = AlimtalkKit.solapi
            let (database, provider) = (try TestDatabase.make(), try FakeProvider(kit.accepted.reply))
            let environment = kit.environment(provider.baseURL, ["LUX_ALIMTALK_DAILY_LIMIT": "5"])
            let servers = try (0..<2).map { _ in try TestServer(database, environment: environment) }
            let world = try World(database, servers[0])
            // Older than a day: these do not count.
            try world.sql.script(
                """
                insert into alimtalks (user_id, provider, status, created_at)
                select 1, 'solapi', 'sent', now() - interval '25 hours' from generate_series(1, 9)
                """)
            let users = try (0..<12).map { _ in try world.user(phone: "+821093847561") }
            let replies = try simultaneously(12) { index in
                try servers[index % 2].call("POST", World.api + "alimtalk", token: Token.access(user: users[index]))
            }
            #expect(replies.count { $0.status == 200 } == 5)
            let rejected = replies.filter { $0.status == 429 }
            #expect(rejected.count == 7 && provider.requests.count == 5)
            for reply in rejected {
                #expect((86_000...86_400).contains(reply.header("Retry-After").flatMap { Int($0) } ?? 0))
            }
            for server in servers { server.stop() }
            let lines = servers.flatMap {
                $0.logLines { $0["cause"]?.string == "the messages of all accounts within 24 hours" }
            }
            #expect(lines.count == 7)
        }
    }

    @Test func `60 parents at the same moment get their 200 from a provider that takes a second`() async throws {
        try await onThread {
            let kit = AlimtalkKit.solapi
            let provider = try FakeProvider()
            provider.reset(responding: { _ in
                Thread.sleep(forTimeInterval: 1)
                return kit.accepted.reply
            })
            let environment = kit.environment(provider.baseURL, ["LUX_ALIMTALK_TIMEOUT": "5"])
            let world = try World.own(environment: environment)
            let users = try (0..<60).map { _ in try world.user(phone: "+821093847561") }
            let server = world.server
            let replies = try simultaneously(60) { index in
                try server.call("POST", World.api + "alimtalk", token: Token.access(user: users[index]))
            }
            #expect(replies.map(\.status) == Array(repeating: 200, count: 60))
            #expect(provider.requests.count == 60)
            let rows = try world.sql.query("select status, count(*) from alimtalks group by status")
            #expect(rows == [["sent", "60"]])
            server.stop()
        }
    }

    @Test func `a report counts messages by account since a time`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            try database.session().script(
                """
                insert into alimtalks (user_id, provider, status, delivery, created_at)
                select 8, 'nhn', 'sent', 'delivered', timestamptz '2025-02-21T15:00:00+09' from generate_series(1, 3)
                union all select 7, 'nhn', 'failed', null, timestamptz '2025-02-21T00:00:00+09'
                union all select 7, 'nhn', 'sent', 'undelivered', timestamptz '2025-02-20T23:59:59+09'
                union all select 9, 'nhn', 'unknown', null, now()
                """)
            func report(_ arguments: String...) throws -> LUXCommand {
                try LUXCommand.run(
                    ["alimtalk", "report"] + arguments, environment: ["DATABASE_URL": database.connectionString])
            }
            func counts(_ arguments: String...) throws -> [[String]] {
                let run = try LUXCommand.run(
                    ["alimtalk", "report"] + arguments, environment: ["DATABASE_URL": database.connectionString])
                #expect(run.ending == .exit(0), "\(run.everything)")
                return run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            }
            let header = ["user", "messages", "sent", "failed", "unknown", "pending", "delivered", "undelivered"]
            let day = try counts("--since", "2025-02-21")
            #expect(
                day == [
                    header, ["8", "3", "3", "0", "0", "0", "3", "0"], ["7", "1", "0", "1", "0", "0", "0", "0"],
                    ["9", "1", "0", "0", "1", "0", "0", "0"], ["all", "5", "3", "1", "1", "0", "3", "0"],
                ])
            #expect(try counts("--since", "2025-02-20T14:59:59Z").last == ["all", "6", "4", "1", "1", "0", "3", "1"])
            #expect(
                try counts("--since", "1h") == [
                    header, ["9", "1", "0", "0", "1", "0", "0", "0"], ["all", "1", "0", "0", "1", "0", "0", "0"],
                ])
            #expect(try counts().count == 3)
            for wrong in ["yesterday", "2025", "7", "1w", "2025-13-01", "'; drop table alimtalks"] {
                #expect(try report("--since", wrong).ending != .exit(0), "\(wrong)")
            }
        }
    }
}
