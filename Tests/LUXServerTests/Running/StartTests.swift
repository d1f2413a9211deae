import Foundation
import Glibc
import LUXTestSupport
import Testing

/// The start of the server, and of `migrate`, while the database keeps them waiting.
@Suite struct StartTests {
    /// Accepts connections and never responds, as a paused pooler or a host that died behind a load balancer.
    private final class SilentServer {
        let port: UInt16
        private let descriptor: Int32

        init() throws {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    bind(descriptor, address, length) == 0 && listen(descriptor, 64) == 0
                        && getsockname(descriptor, address, &length) == 0
                }
            }
            try #require(bound)
            self.descriptor = descriptor
            port = UInt16(bigEndian: address.sin_port)
        }

        deinit { close(descriptor) }
    }

    /// The advisory lock of migrations.
    private static let lock = "select pg_advisory_lock(119204650084711)"

    private func holdLock(_ database: TestDatabase) throws -> (session: SQLSession, holder: String) {
        let session = try database.session()
        try session.script("set application_name = 'nightly copy'; \(Self.lock)")
        let pid = try #require(try session.query("select pg_backend_pid()").first?.first ?? nil)
        return (session, "the migration lock, held by pid \(pid) (nightly copy)")
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `opens its port and reports who holds the migration lock, and signals end it`(_ signal: Int32) async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let (session, holder) = try holdLock(database)
            let start = Date()
            let server = try TestServer(database, arguments: ["--migrate"])
            let opened = Date().timeIntervalSince(start)
            #expect(opened < 5, "the port was open after \(opened) s")
            let reply = try server.call("GET", "/readyz")
            expect(reply, 503, "Service temporarily unavailable")
            #expect(reply.header("X-Waiting-For") == holder, "\(reply.summary)")
            #expect(try server.call("GET", "/healthz").status == 200)
            let lines = server.logLines { $0["message"]?.string == "migration waits" }
            #expect(lines.first?["cause"]?.string == holder)
            if signal == SIGTERM {
                try session.script("select pg_advisory_unlock_all()")
                #expect(server.waits(for: 200, at: "/readyz"))
            }
            server.process.signal(signal)
            #expect(server.process.wait(seconds: 10) == .exit(0))
        }
    }

    @Test func `opens its port while the database accepts connections and does not respond, and signals end it`()
        async throws
    {
        try await onThread {
            let silent = try SilentServer()
            let address = "host=127.0.0.1 port=\(silent.port) dbname=lux user=lux"
            let start = Date()
            let server = try TestServer(try TestDatabase.make(), environment: ["DATABASE_URL": address])
            #expect(Date().timeIntervalSince(start) < 5)
            let reply = try server.call("GET", "/readyz")
            #expect(reply.status == 503 && reply.header("X-Waiting-For") == "the database", "\(reply.summary)")
            server.stop(seconds: 10)
        }
    }

    @Test func `a first host that does not respond delays readiness by its own time-out only`() async throws {
        try await onThread {
            let (silent, database) = (try SilentServer(), try TestDatabase.make())
            let address = """
                host=127.0.0.1,127.0.0.1 port=\(silent.port),\(database.cluster.port) dbname=\(database.name) \
                user=postgres connect_timeout=2
                """
            let start = Date()
            let server = try TestServer(database, environment: ["DATABASE_URL": address])
            #expect(Date().timeIntervalSince(start) < 5)
            #expect(try server.call("GET", "/readyz").status == 503)
            #expect(server.waits(for: 200, at: "/readyz", seconds: 30))
            // Once for the check of the schema, once for the pool.
            let ready = Date().timeIntervalSince(start)
            #expect((2...15).contains(ready), "ready after \(ready) s")
            server.stop()
        }
    }

    private static let hasPIDNamespaces =
        (try? ChildProcess("/usr/bin/unshare", ["--pid", "--fork", "true"]).wait(seconds: 10)) == .exit(0)

    /// The first process of a container has no default actions: the kernel ignores signals that it does not handle.
    @Test(.enabled(if: hasPIDNamespaces, "no right to create a PID namespace"), arguments: [SIGTERM, SIGINT])
    func `migrate ends by a signal, also as the first process of a container`(_ signal: Int32) async throws {
        try await onThread {
            let database = try TestDatabase.makeEmpty()
            let (session, holder) = try holdLock(database)
            let process = try ChildProcess(
                "/usr/bin/unshare", ["--pid", "--fork", "--kill-child", Locations.server, "migrate"],
                environment: LUXCommand.environment(["DATABASE_URL": database.connectionString]))
            let deadline = Date(timeIntervalSinceNow: 15)
            while Date() < deadline, !process.errors.contains(holder) { usleep(20_000) }
            #expect(process.errors.contains("waiting for " + holder), "\(process.errors)")
            let path = "/proc/\(process.pid)/task/\(process.pid)/children"
            let children = try String(contentsOfFile: path, encoding: .utf8)
            let child = try #require(pid_t(children.trimmingCharacters(in: .whitespaces)))
            #expect(kill(child, signal) == 0)
            #expect(process.wait(seconds: 5) == .exit(128 + signal), "\(process.errors)")
            _ = session
        }
    }
}
