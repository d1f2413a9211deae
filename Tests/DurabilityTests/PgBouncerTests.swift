import Foundation
import Glibc
import LUXTestSupport
import Testing

/// The server behind PgBouncer: in session mode as without it, in transaction mode with settings for each transaction and, before PgBouncer
/// 1.21, without prepared statements. `LUX_PGBOUNCER` names another program than the machine's.
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
            \(Self.carriesStatements ? "max_prepared_statements = 200" : "")
            """.write(toFile: folder + "/pgbouncer.ini", atomically: true, encoding: .utf8)
            chmod(folder, 0o755)
            process = try cluster.runUnprivileged(Self.program, [folder + "/pgbouncer.ini"])
            for _ in 0..<200 where (try? SQLSession(address("postgres"))) == nil { usleep(20_000) }
        }

        static let program = ProcessInfo.processInfo.environment["LUX_PGBOUNCER"] ?? "/usr/sbin/pgbouncer"

        /// Whether this version carries prepared statements from session to session.
        static let carriesStatements: Bool = {
            guard let process = try? ChildProcess(program, ["--version"]), process.wait(seconds: 10) == .exit(0),
                let found = process.output.firstMatch(of: /PgBouncer (\d+)\.(\d+)/),
                let major = Int(found.1), let minor = Int(found.2)
            else { return false }
            return (major, minor) >= (1, 21)
        }()

        func address(_ database: String) -> String { "postgresql://postgres@127.0.0.1:\(port)/\(database)" }

        deinit { process.signal(SIGTERM) }
    }

    @Test(arguments: ["session", "transaction"])
    func `uploads are stored, also when the sessions of the pooler are ended meanwhile`(_ mode: String) async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let bouncer = try Bouncer(database.cluster, mode: mode)
            let server = try TestServer(database, environment: ["DATABASE_URL": bouncer.address(database.name)])
            let load = try UploadLoad(World(database, server))
            let (stopped, finished) = (Flag(), Flag())
            let port = server.port
            Thread.detachNewThread {
                try? load.run(until: stopped) { _ in port }
                finished.set()
            }
            #expect(load.receives(50, of: 200))
            try database.session().script(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"
            )
            #expect(load.receives(50, of: 200))
            stopped.set()
            while !finished.isSet { usleep(5_000) }
            #expect(try load.repeatOpen(port: port) >= 0)
            let figures = try load.figures(database.session())
            print("PgBouncer in \(mode) mode: \(figures)")
            #expect(figures.lost == 0 && figures.torn == 0 && figures.duplicated == 0, "\(figures)")
            #expect(Set(figures.statuses.keys).isSubset(of: [0, 200, 503]), "\(figures.statuses)")
            #expect(figures.acknowledged > 20)
            server.stop()
        }
    }

    @Test func `in transaction mode each transaction has the server's settings, and no session keeps them`()
        async throws
    {
        try await onThread {
            let database = try TestDatabase.make()
            let bouncer = try Bouncer(database.cluster, mode: "transaction")
            let sql = try database.session()
            // The first upload of a log records what is in force.
            try sql.script(
                """
                create table seen (statement_timeout text, lock_timeout text, plan_cache_mode text, isolation text);
                create function note() returns trigger language plpgsql as $$ begin
                    insert into seen values (current_setting('statement_timeout'), current_setting('lock_timeout'),
                        current_setting('plan_cache_mode'), current_setting('transaction_isolation'));
                    return new; end $$;
                create trigger note after insert on device_logs for each row execute function note();
                """)
            try sql.script("alter database \(database.name) set default_transaction_isolation = 'serializable'")
            let server = try TestServer(database, environment: ["DATABASE_URL": bouncer.address(database.name)])
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            for file in 1...20 {
                let record = World.record(
                    child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: Int64(file))
                #expect(try world.upload([record], as: user).status == 200)
                #expect(try world.call("GET", "get-all-device", as: user).status == 200)
            }
            #expect(try sql.query("select distinct * from seen").count == 1)
            let seen = try #require(try sql.query("select distinct * from seen").first)
            #expect(seen[0] != "0" && seen[1] == "100ms", "\(seen)")
            #expect(seen[2] == "force_generic_plan" && seen[3] == "read committed", "\(seen)")
            let pooled = try (0..<8).map { _ in try SQLSession(bouncer.address(database.name)) }
            for session in pooled {
                try session.script("begin")
                #expect(try session.value("select current_setting('lock_timeout')") == "0")
                #expect(try session.value("select current_setting('enable_seqscan')") == "on")
            }
            server.stop()
        }
    }

    @Test func `in transaction mode a locked table delays its own requests only`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let bouncer = try Bouncer(database.cluster, mode: "transaction")
            let server = try TestServer(database, environment: ["DATABASE_URL": bouncer.address(database.name)])
            let world = try World(database, server)
            let (user, child, _) = try world.family()
            let locker = try database.session()
            try locker.script("begin; lock table device_logs in access exclusive mode")
            #expect(try world.call("GET", "usage-logs?real_user_id=\(child)", as: user).status == 503)
            #expect(try world.call("GET", "get-all-device", as: user).status == 200)
            try locker.script("rollback")
            server.stop()
        }
    }

    @Test func `doctor names the mode of the pooler, and commands that lock their session reject it`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let expected = [
                "session": "none, or in session mode",
                "transaction": Bouncer.carriesStatements
                    ? "in transaction mode, with prepared statements"
                    : "in transaction mode, without prepared statements",
                "statement": "in statement mode",
            ]
            for (mode, text) in expected {
                let bouncer = try Bouncer(database.cluster, mode: mode)
                let environment = ["DATABASE_URL": bouncer.address(database.name), "LUX_JWT_SECRET": Token.secret]
                let doctor = try LUXCommand.run(["doctor"], environment: environment)
                #expect(doctor.output.contains("connection pooler: \(text)"), "\(doctor.everything)")
                let migrate = try LUXCommand.run(["migrate"], environment: environment)
                #expect(migrate.ending == .exit(mode == "session" ? 0 : 1), "\(migrate.everything)")
                #expect(migrate.errors.contains("this command holds a lock of its session") == (mode != "session"))
            }
        }
    }

    @Test func `in statement mode the server does not start and reports why`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let bouncer = try Bouncer(database.cluster, mode: "statement")
            let run = try LUXCommand.run(
                ["serve"],
                environment: [
                    "DATABASE_URL": bouncer.address(database.name), "LUX_JWT_SECRET": Token.secret, "LUX_PORT": "0",
                ])
            #expect(run.ending == .exit(1))
            #expect(run.errors.contains("DATABASE_URL: a connection pooler in statement mode"), "\(run.everything)")
        }
    }
}
