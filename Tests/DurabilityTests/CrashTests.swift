import Foundation
import Glibc
import LUXTestSupport
import Testing

/// Processes that are killed while uploads are in flight: what got a 200 is stored, everything else is stored whole or not at
/// all, and sending it again changes nothing else. Most transactions have several uploads.
@Suite struct CrashTests {
    private static func expectKept(_ figures: UploadLoad.Figures, _ what: String) {
        print("\(what): \(figures)")
        #expect(figures.lost == 0)
        #expect(figures.torn == 0)
        #expect(figures.duplicated == 0)
        #expect(Set(figures.statuses.keys).isSubset(of: [0, 200, 503]), "\(figures.statuses)")
        #expect(figures.acknowledged > 100)
    }

    @Test func `the server, killed 20 times under load, loses nothing and stores nothing twice`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let world = try World(database, try TestServer(database))
            let load = try UploadLoad(world, clients: 16)
            let transactions = Guarded(UploadTransactions())
            for _ in 0..<20 {
                let server = try TestServer(database)
                let (port, process) = (server.port, server.process)
                let stopped = Flag()
                Thread.detachNewThread {
                    usleep(UInt32.random(in: 100_000...400_000))
                    if let those = try? UploadTransactions(of: server) { transactions.withLock { $0 = $0 + those } }
                    process.signal(SIGKILL)
                    usleep(20_000)
                    stopped.set()
                }
                try load.run(until: stopped) { _ in port }
                #expect(process.wait() == .signal(SIGKILL))
                Self.expectWhole(try load.figures(world.sql))
            }
            #expect(try load.repeatOpen(port: world.server.port) >= 0)
            let all = transactions.withLock { $0 }
            Self.expectKept(try load.figures(world.sql), "server killed 20 times, \(all)")
            #expect(all.shared > 20)
            #expect(try load.repeatOpen(port: world.server.port) == 0)
            world.server.stop()
        }
    }

    private static func expectWhole(_ figures: UploadLoad.Figures) {
        #expect(figures.lost == 0 && figures.torn == 0 && figures.duplicated == 0, "\(figures)")
    }

    @Test
    func
        `the database, killed 10 times under load, loses nothing; the server waits, and serves within 2 s of its return`()
        async throws
    {
        try await onThread {
            let cluster = try TestCluster(isDurable: true)
            let database = try TestDatabase.makeEmpty(in: cluster)
            let server = try TestServer.migrating(database)
            let load = try UploadLoad(try World(database, server), clients: 16)
            let port = server.port
            let stopped = Flag()
            let finished = Flag()
            Thread.detachNewThread {
                try? load.run(until: stopped) { _ in port }
                finished.set()
            }
            var slowest = 0.0
            for number in 0..<10 {
                usleep(400_000)
                if number % 2 == 0 { cluster.kill() } else { cluster.stopImmediately() }
                #expect(try server.call("GET", "/healthz").status == 200)
                #expect(try server.call("GET", "/readyz").status == 503)
                try cluster.start()
                let back = Date()
                slowest = max(slowest, load.secondsUntilServed(after: back, limit: 30))
                Self.expectWhole(try load.figures(database.session()))
            }
            #expect(slowest < Sanitizer.seconds(2))
            stopped.set()
            while !finished.isSet { usleep(10_000) }
            #expect(try load.repeatOpen(port: port) >= 0)
            let figures = try load.figures(database.session())
            let transactions = try UploadTransactions(of: server)
            Self.expectKept(
                figures, "database killed 10 times, served again after at most \(slowest) s, \(transactions)")
            #expect(transactions.shared > 20)
            #expect(figures.statuses[503, default: 0] > 0)
            server.stop()
            cluster.stop()
        }
    }
}
