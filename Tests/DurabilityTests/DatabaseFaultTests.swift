import Foundation
import Glibc
import LUXTestSupport
import Testing

/// A database that is full, out of connections, read-only or behind a bad network: 503 while it lasts, nothing stored in
/// part, and full service without intervention afterwards.
@Suite struct DatabaseFaultTests {
    /// A server on its own database that is reached through a proxy.
    private final class Fixture: Sendable {
        let database: TestDatabase
        let proxy: FaultyProxy
        let server: TestServer

        init(environment: [String: String] = ["LUX_REQUEST_TIMEOUT": "2"]) throws {
            database = try TestDatabase.make()
            proxy = try FaultyProxy(to: database.cluster.port)
            let address = "postgresql://postgres@127.0.0.1:\(proxy.port)/\(database.name)"
            server = try TestServer(database, environment: environment.merging(["DATABASE_URL": address]) { $1 })
        }

        /// Uploads while `work` runs.
        func load(_ load: UploadLoad, during work: () throws -> Void) throws {
            let (stopped, finished) = (Flag(), Flag())
            let port = server.port
            Thread.detachNewThread {
                try? load.run(until: stopped) { _ in port }
                finished.set()
            }
            defer {
                stopped.set()
                while !finished.isSet { usleep(5_000) }
            }
            try work()
        }
    }

    private static func expectKept(_ load: UploadLoad, _ fixture: Fixture, _ what: String) throws {
        #expect(fixture.server.waits(for: 200, at: "/readyz", seconds: 10))
        #expect(try load.repeatOpen(port: fixture.server.port) >= 0)
        let figures = try load.figures(fixture.database.session())
        let transactions = try UploadTransactions(of: fixture.server)
        print("\(what): \(figures), \(transactions)")
        #expect(transactions.shared > 0)
        #expect(figures.lost == 0 && figures.torn == 0 && figures.duplicated == 0, "\(figures)")
        #expect(Set(figures.statuses.keys).isSubset(of: [0, 200, 503]), "\(figures.statuses)")
        #expect(figures.acknowledged > 10)
    }

    @Test func `a network that stalls: 503 in time, and service again when it moves`() async throws {
        try await onThread {
            let fixture = try Fixture()
            let load = try UploadLoad(World(fixture.database, fixture.server))
            try fixture.load(load) {
                usleep(300_000)
                for _ in 0..<2 {
                    fixture.proxy.set(.stall)
                    usleep(200_000)
                    let start = Date()
                    let reply = try fixture.server.call("GET", "/readyz")
                    #expect(reply.status == 503)
                    #expect(Date().timeIntervalSince(start) < Sanitizer.seconds(3))
                    usleep(2_500_000)
                    fixture.proxy.set(.none)
                    let back = Date()
                    #expect(load.secondsUntilServed(after: back, limit: 30) < Sanitizer.seconds(4))
                }
            }
            try Self.expectKept(load, fixture, "stalled network")
            fixture.server.stop()
            fixture.proxy.close()
        }
    }

    @Test func `a network that cuts connections in the middle of messages`() async throws {
        try await onThread {
            let fixture = try Fixture()
            let load = try UploadLoad(World(fixture.database, fixture.server))
            var random = SplitMix64(state: 7)
            try fixture.load(load) {
                for _ in 0..<40 {
                    fixture.proxy.set(.cut(after: Int.random(in: 0..<3_000, using: &random)))
                    usleep(60_000)
                    fixture.proxy.set(.none)
                    usleep(120_000)
                }
            }
            try Self.expectKept(load, fixture, "40 cuts")
            fixture.server.stop()
            fixture.proxy.close()
        }
    }

    @Test func `a slow network delays responses and fails none`() async throws {
        try await onThread {
            let fixture = try Fixture(environment: [:])
            let load = try UploadLoad(World(fixture.database, fixture.server))
            fixture.proxy.set(.delay(100))
            try fixture.load(load) { usleep(4_000_000) }
            fixture.proxy.set(.none)
            try Self.expectKept(load, fixture, "100 ms each way")
            #expect(try load.figures(fixture.database.session()).statuses[503] == nil)
            fixture.server.stop()
            fixture.proxy.close()
        }
    }

    @Test func `a database that has become read-only: reads are served and uploads are 503 meanwhile`()
        async throws
    {
        try await onThread {
            let fixture = try Fixture()
            let world = try World(fixture.database, fixture.server)
            let (user, child, device) = try world.family()
            let record = World.record(child: child, device: device, date: "2025-02-21T15:48:49")
            let name = fixture.database.name
            let sql = try fixture.database.cluster.session()
            try sql.script("alter database \(name) set default_transaction_read_only = true")
            try sql.script("select pg_terminate_backend(pid) from pg_stat_activity where datname = '\(name)'")
            #expect(fixture.server.waits(for: 503, at: "/readyz"))
            for _ in 0..<3 { #expect(try world.upload([record], as: user).status == 503) }
            // Sessions that are ended while they are being established look like an outage for a moment.
            var readStatus = 0
            for _ in 0..<40 where readStatus != 200 {
                readStatus = try world.call("GET", "child-device?real_user_id=\(child)", as: user).status
                if readStatus != 200 { usleep(50_000) }
            }
            #expect(readStatus == 200)
            // As when the primary has moved: the sessions are not asked to go, the server has to.
            try fixture.database.cluster.session().script("alter database \(name) reset default_transaction_read_only")
            var status = 0
            for _ in 0..<40 where status != 200 {
                status = try world.upload([record], as: user).status
                if status != 200 { usleep(50_000) }
            }
            #expect(status == 200)
            fixture.server.stop()
        }
    }

    @Test func `a database out of connections: 503 for those without one, and service when there are some`()
        async throws
    {
        try await onThread {
            let database = try TestDatabase.make()
            let sql = try database.session()
            let role = "few_\(Unique.number())"
            try sql.script(
                """
                create role \(role) login connection limit 0;
                grant all on all tables in schema public to \(role); grant usage on all sequences in schema public to \(role)
                """)
            let address = "postgresql://\(role)@127.0.0.1:\(database.cluster.port)/\(database.name)"
            let server = try TestServer(
                database, environment: ["DATABASE_URL": address, "LUX_REQUEST_TIMEOUT": "1", "LUX_LOOPS": "1"])
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let record = World.record(child: child, device: device, date: "2025-02-21T15:48:49")
            #expect(try server.call("GET", "/readyz").status == 503)
            #expect(try world.upload([record], as: user).status == 503)
            // Fewer than the pool wants.
            try sql.script("alter role \(role) connection limit 5")
            #expect(server.waits(for: 200, at: "/readyz"))
            var status = 0
            for _ in 0..<60 where status != 200 {
                status = try world.upload([record], as: user).status
                if status != 200 { usleep(50_000) }
            }
            #expect(status == 200)
            server.stop()
        }
    }

    @Test(arguments: [1, 2]) func `a server starts with no more connections than its pool has`(_ pool: Int) async throws
    {
        try await onThread {
            let database = try TestDatabase.make()
            let role = "few_\(Unique.number())"
            try database.session().script(
                "create role \(role) login connection limit \(pool); grant select on schema_migrations to \(role)")
            let address = "postgresql://\(role)@127.0.0.1:\(database.cluster.port)/\(database.name)"
            let server = try TestServer(database, environment: ["DATABASE_URL": address, "LUX_DB_POOL": "\(pool)"])
            #expect(server.waits(for: 200, at: "/readyz"))
            server.stop()
        }
    }

    @Test func `an upload that is still queued when its client is gone is not begun, a half-closed client's is`()
        async throws
    {
        try await onThread {
            let world = try World.own(environment: ["LUX_LOOPS": "1"])
            let (user, child, device) = try world.family()
            // All for one device, so that each waits for the one before it.
            func begin(_ file: Int64) throws -> HTTPClient {
                let record = World.record(
                    child: child, device: device, date: "2025-02-21T15:48:49Z", flag: 1, file: file)
                let client = try world.server.connect()
                try client.send(
                    TestServer.request(
                        "POST", World.api + "devlog", token: Token.access(user: user),
                        body: World.logArrays([record])))
                return client
            }
            try world.sql.script("begin; select * from devices where id = \(device.id) for update")
            let first = try begin(1)
            usleep(300_000)
            var gone: HTTPClient? = try begin(2)
            let half = try begin(3)
            half.closeWrite()
            usleep(300_000)
            gone?.abort()
            gone = nil
            usleep(300_000)
            try world.sql.script("rollback")
            #expect(try first.receive().status == 200)
            #expect(try half.receive().status == 200)
            #expect(try world.logs(of: device).map { $0.split(separator: "|")[1] } == [" 1 ", " 3 "])
            world.server.stop()
        }
    }

    @Test func `warns at the start of a database that can lose a commit, and of no other`() async throws {
        try await onThread {
            func warnings(_ cluster: TestCluster) throws -> [String] {
                let database = try TestDatabase.makeEmpty(in: cluster)
                let server = try TestServer.migrating(database)
                defer { server.stop() }
                return server.logLines { $0["level"]?.string == "warning" || $0["message"]?.string == "listening" }
                    .compactMap { $0["setting"]?.string }
            }
            #expect(try warnings(.shared) == ["synchronous_commit", "fsync"])
            let durable = try TestCluster(isDurable: true)
            #expect(try warnings(durable).isEmpty)
            durable.stop()
        }
    }

    @Test func `a full disk: 503, nothing stored in part, and service when there is room`() async throws {
        try await onThread {
            let disk = try SmallDisk(megabytes: 96)
            let cluster = try TestCluster(isDurable: true, dataFolder: disk.folder + "/data")
            let database = try TestDatabase.makeEmpty(in: cluster)
            let server = try TestServer.migrating(database)
            let load = try UploadLoad(try World(database, server), clients: 4)
            let (stopped, finished) = (Flag(), Flag())
            let port = server.port
            Thread.detachNewThread {
                try? load.run(until: stopped) { _ in port }
                finished.set()
            }
            usleep(300_000)
            try disk.fill()
            #expect(load.receives(20, of: 503), "the disk is full")
            try disk.free()
            // Where it cannot even write its own state PostgreSQL restarts itself, or ends, and its supervisor starts it
            // again: the server has no part in that, and is timed from the database's return.
            var isBack = false
            for _ in 0..<600 where !isBack {
                // A supervisor tries again when a start fails, as while the ended processes still hold the folder.
                try? cluster.startIfEnded()
                // It may still fail at its next own write and recover once more: it is back once a checkpoint succeeds.
                isBack = (try? database.session().script("checkpoint")) != nil
                if !isBack { usleep(50_000) }
            }
            #expect(isBack)
            let back = Date()
            #expect(load.secondsUntilServed(after: back, limit: 30) < Sanitizer.seconds(5))
            stopped.set()
            while !finished.isSet { usleep(5_000) }
            #expect(try load.repeatOpen(port: port) >= 0, "\(server.process.outputLines.suffix(8))")
            let figures = try load.figures(database.session())
            print("disk full: \(figures)")
            #expect(figures.lost == 0 && figures.torn == 0 && figures.duplicated == 0, "\(figures)")
            #expect(Set(figures.statuses.keys).isSubset(of: [0, 200, 503]), "\(figures.statuses)")
            server.stop()
            cluster.stop()
            disk.remove()
        }
    }
}
