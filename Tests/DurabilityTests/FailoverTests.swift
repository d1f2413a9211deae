import Foundation
import LUXTestSupport
import Testing

/// A primary with a synchronous standby of PostgreSQL: the primary dies, the standby is promoted, nothing that was
/// acknowledged is lost and no server is restarted.
///
/// `LUX_FAILOVERS` changes how often; see `Scripts/drill-failover`.
@Suite struct FailoverTests {
    private static let times = ProcessInfo.processInfo.environment["LUX_FAILOVERS"].flatMap { Int($0) } ?? 1

    @Test func `a killed primary and a promoted standby lose nothing that was acknowledged`() async throws {
        for number in 0..<Self.times {
            try await onThread { try Self.failOver(number) }
        }
    }

    @Test func `a standby serves reads, and is ready only once it is promoted`() async throws {
        try await onThread {
            let primary = try TestCluster()
            let database = try TestDatabase.makeEmpty(in: primary)
            let before = try World(database, TestServer.migrating(database))
            let (user, child, device) = try before.family()
            before.server.stop()
            let standby = try TestCluster(
                settings: ["hot_standby=on", "primary_conninfo=\(primary.replicationString)"], standbyOf: primary)
            let server = try TestServer(
                database, environment: ["DATABASE_URL": standby.connectionString(database.name)])
            let world = try World(database, server)
            let record = World.record(child: child, device: device, date: "2025-02-21T15:48:49")
            var missing: String?
            for _ in 0..<200 where missing != "a database that accepts writes" {
                let reply = try server.call("GET", "/readyz")
                #expect(reply.status == 503, "\(reply.summary)")
                missing = reply.header("X-Waiting-For")
                usleep(50_000)
            }
            #expect(missing == "a database that accepts writes")
            #expect(try world.call("GET", "child-device?real_user_id=\(child)", as: user).status == 200)
            #expect(try world.upload([record], as: user).status == 503)
            try standby.session().script("select pg_promote()")
            #expect(server.waits(for: 200, at: "/readyz"))
            #expect(try world.upload([record], as: user).status == 200)
            server.stop()
            standby.stop()
            primary.stop()
        }
    }

    private static func failOver(_ number: Int) throws {
        let primary = try TestCluster(
            isDurable: true, settings: ["synchronous_standby_names=*", "synchronous_commit=local"])
        let database = try TestDatabase.makeEmpty(in: primary)
        let standby = try TestCluster(
            isDurable: true, settings: ["hot_standby=on", "primary_conninfo=\(primary.replicationString)"],
            standbyOf: primary)
        // From here on a commit waits for the standby.
        let role = try primary.session()
        try role.script("alter role postgres set synchronous_commit = on")
        for _ in 0..<200
        where try role.integer("select count(*) from pg_stat_replication where sync_state = 'sync'") == 0 {
            usleep(20_000)
        }
        let address =
            "postgresql://postgres@127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)/\(database.name)"
            + "?target_session_attrs=read-write"
        let servers = try (0..<2).map { _ in
            try TestServer.migrating(database, environment: ["DATABASE_URL": address])
        }
        let load = try UploadLoad(World(database, servers[0]))
        let (stopped, finished) = (Flag(), Flag())
        let ports = servers.map(\.port)
        Thread.detachNewThread {
            try? load.run(until: stopped) { ports[$0 % 2] }
            finished.set()
        }
        #expect(load.receives(100, of: 200))

        primary.kill()
        let killed = Date()
        usleep(300_000)
        let promoted = Date()
        try standby.session().script("select pg_promote()")
        let sincePromotion = load.secondsUntilServed(after: promoted, limit: 60)
        usleep(1_000_000)
        stopped.set()
        while !finished.isSet { usleep(5_000) }

        let sql = try standby.session(database.name)
        #expect(try load.repeatOpen(port: ports[1]) >= 0)
        let figures = try load.figures(sql)
        print(
            """
            failover \(number + 1): \(figures.acknowledged) acknowledged, \(figures.lost) lost, \(figures.torn) torn, \
            \(figures.duplicated) duplicated, \(promoted.timeIntervalSince(killed) + sincePromotion) s without \
            service, \(sincePromotion) s of them after the promotion; responses \(figures.statuses)
            """)
        #expect(figures.lost == 0 && figures.torn == 0 && figures.duplicated == 0, "\(figures)")
        #expect(Set(figures.statuses.keys).isSubset(of: [0, 200, 503]), "\(figures.statuses)")
        #expect(sincePromotion < Sanitizer.seconds(5))
        for server in servers {
            #expect(server.waits(for: 200, at: "/readyz"))
            print("failover \(number + 1), one of the servers: \(try UploadTransactions(of: server))")
            server.stop()
        }
        standby.stop()
    }
}
