import Foundation
import Glibc
import LUXTestSupport
import Testing

/// PgBouncer in between: in session mode all is as without it, in transaction mode the server says why it does not start.
@Suite struct PgBouncerTests {
    private final class Bouncer {
        let process: ChildProcess
        let port: UInt16

        init(_ cluster: TestCluster, mode: String) throws {
            let folder = try makeTemporaryFolder()
            port = try TestCluster.freePort()
            try """
            [databases]
            * = host=127.0.0.1 port=\(cluster.port) user=postgres
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = any
            pool_mode = \(mode)
            default_pool_size = 20
            """.write(toFile: folder + "/pgbouncer.ini", atomically: true, encoding: .utf8)
            chmod(folder, 0o755)
            process = try cluster.runUnprivileged("/usr/sbin/pgbouncer", [folder + "/pgbouncer.ini"])
            for _ in 0..<200 where (try? SQLSession(address("postgres"))) == nil { usleep(20_000) }
        }

        func address(_ database: String) -> String { "postgresql://postgres@127.0.0.1:\(port)/\(database)" }

        deinit { process.signal(SIGTERM) }
    }

    @Test func `in session mode uploads are stored, also when its sessions are ended meanwhile`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let bouncer = try Bouncer(database.cluster, mode: "session")
            let server = try TestServer(database, environment: ["DATABASE_URL": bouncer.address(database.name)])
            let load = try UploadLoad(World(database, server))
            let (stopped, finished) = (Flag(), Flag())
            let port = server.port
            Thread.detachNewThread {
                try? load.run(until: stopped) { _ in port }
                finished.set()
            }
            usleep(500_000)
            try database.session().script(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"
            )
            usleep(1_000_000)
            stopped.set()
            while !finished.isSet { usleep(5_000) }
            #expect(try load.repeatOpen(port: port) >= 0)
            let figures = try load.figures(database.session())
            print("PgBouncer in session mode: \(figures)")
            #expect(figures.lost == 0 && figures.torn == 0 && figures.duplicated == 0, "\(figures)")
            #expect(Set(figures.statuses.keys).isSubset(of: [0, 200, 503]), "\(figures.statuses)")
            #expect(figures.acknowledged > 20)
            server.stop()
        }
    }

    @Test func `in transaction mode the server refuses to start and says why`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let bouncer = try Bouncer(database.cluster, mode: "transaction")
            let run = try LUXCommand.run(
                ["serve"],
                environment: [
                    "DATABASE_URL": bouncer.address(database.name), "LUX_JWT_SECRET": Token.secret, "LUX_PORT": "0",
                ])
            #expect(run.ending == .exit(1))
            #expect(run.errors.contains("DATABASE_URL: a connection pooler in transaction"), "\(run.everything)")
        }
    }
}
