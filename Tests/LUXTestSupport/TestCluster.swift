import Foundation
import Glibc
import Testing

/// A private PostgreSQL in a temporary folder, run as an unprivileged user, gone when the test process is.
///
/// Durability is switched off unless a test asks for it: what most tests kill is the server and its connections.
///
/// `@unchecked Sendable`: `process` is guarded by `lock`, the rest never changes.
package final class TestCluster: @unchecked Sendable {
    /// The one that nearly all tests use.
    package static let shared: TestCluster = {
        do { return try TestCluster() } catch { preconditionFailure("no PostgreSQL for the tests: \(error)") }
    }()

    package struct StartFailure: Error, CustomStringConvertible {
        package let description: String
    }

    package let folder: String
    private let data: String
    package let port: UInt16
    private let programs: String
    private let user: String
    private let settings: [String]
    private let lock = NSLock()
    private var process: ChildProcess?

    /// Creates a cluster and starts it.
    ///
    /// - Parameters:
    ///   - isDurable: whether a commit survives that the cluster is killed.
    ///   - settings: more settings, `name=value`.
    ///   - dataFolder: where the data is, in place of a folder of its own; WAL is always in that one.
    ///   - upstream: a cluster to be a standby of.
    package init(
        isDurable: Bool = false, settings: [String] = [], dataFolder: String? = nil,
        standbyOf upstream: TestCluster? = nil
    ) throws {
        guard let programs = Locations.postgresPrograms else {
            throw StartFailure(description: "no initdb in pg_config --bindir, /usr/lib/postgresql or PATH")
        }
        self.programs = programs
        folder = try makeTemporaryFolder()
        port = try Self.freePort()
        user = getuid() == 0 ? Self.unprivilegedUser() : ""
        if !user.isEmpty, let entry = getpwnam(user) {
            chown(folder, entry.pointee.pw_uid, entry.pointee.pw_gid)
        }
        chmod(folder, 0o755)
        data = dataFolder ?? folder + "/data"
        let fast = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        self.settings = (isDurable ? [] : fast) + settings
        let making =
            if let upstream {
                try run(
                    "pg_basebackup",
                    ["-D", data, "-h", "127.0.0.1", "-p", String(upstream.port), "-U", "postgres", "-R", "-c", "fast"])
            } else {
                try run(
                    "initdb",
                    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
                        + (dataFolder == nil ? [] : ["--waldir", folder + "/wal"]))
            }
        guard making.wait(seconds: 120) == .exit(0) else { throw StartFailure(description: making.errors) }
        try start()
    }

    /// A libpq connection string of one of this cluster's databases, over TCP.
    package func connectionString(_ database: String) -> String {
        "postgresql://postgres@127.0.0.1:\(port)/\(database)"
    }

    /// What a standby connects with.
    package var replicationString: String { "host=127.0.0.1 port=\(port) user=postgres" }

    package func session(_ database: String = "postgres") throws -> SQLSession {
        try SQLSession(connectionString(database))
    }

    /// Starts the database again after `stop()`.
    package func start() throws {
        let settings =
            [
                "max_connections=800", "listen_addresses=127.0.0.1", "unix_socket_directories=\(folder)",
                "shared_buffers=128MB",
                "max_wal_size=4GB", "log_min_messages=fatal", "timezone=UTC",
            ] + self.settings
        let arguments = ["-D", data, "-p", String(port)] + settings.flatMap { ["-c", $0] }
        let deadline = Date(timeIntervalSinceNow: 60)
        var process = try run("postgres", arguments)
        while (try? session()) == nil {
            guard Date() < deadline else { throw StartFailure(description: process.errors) }
            // The processes of a postmaster that was killed take a moment to find out.
            if !process.isRunning { process = try run("postgres", arguments) }
            usleep(20_000)
        }
        lock.withLock { self.process = process }
    }

    /// Starts the database again if it has ended by itself.
    package func startIfEnded() throws {
        if lock.withLock({ process })?.isRunning == false { try start() }
    }

    /// Kills the postmaster, as the kernel does when memory is short; its processes end by themselves.
    package func kill() {
        end(SIGKILL, .signal(SIGKILL))
    }

    /// `pg_ctl stop -m immediate`: all processes end immediately, and the next start recovers.
    package func stopImmediately() {
        let process = lock.withLock { self.process }
        process?.signal(SIGQUIT)
        process?.wait(seconds: 30)
    }

    /// Stops the database immediately: sessions are cut, the files stay.
    package func stop() {
        end(SIGINT, .exit(0))
    }

    private func end(_ signal: Int32, _ ending: ChildProcess.Ending) {
        let process = lock.withLock { self.process }
        process?.signal(signal)
        #expect(process?.wait(seconds: 30) == ending)
    }

    /// Stops all processes of the cluster where they are, as a machine does that hangs, or lets them continue.
    package func freeze(_ frozen: Bool) {
        guard let process = lock.withLock({ self.process }) else { return }
        // The postmaster first: it starts no more processes then.
        let number = frozen ? SIGSTOP : SIGCONT
        Glibc.kill(process.pid, number)
        if frozen { waitUntilStopped(process.pid) }
        let path = "/proc/\(process.pid)/task/\(process.pid)/children"
        let children = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
            .split(separator: " ").compactMap { pid_t($0) }
        for pid in children { Glibc.kill(pid, number) }
        if frozen { children.forEach(waitUntilStopped) }
    }

    /// A signal is sent before its effect: a backend may still respond until the kernel has stopped it (proc(5), state T).
    private func waitUntilStopped(_ pid: pid_t) {
        for _ in 0..<1_000 {
            let status = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ") T"
            if status.contains(") T") || status.contains(") Z") { return }
            usleep(1_000)
        }
    }

    private func run(_ program: String, _ arguments: [String]) throws -> ChildProcess {
        try runUnprivileged(programs + "/" + program, arguments)
    }

    /// Runs a program as the user that the cluster runs as.
    package func runUnprivileged(_ command: String, _ arguments: [String]) throws -> ChildProcess {
        let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": folder]
        if user.isEmpty {
            return try ChildProcess(command, arguments, environment: environment, folder: folder)
        }
        // setpriv becomes the program itself; runuser would stay in between and take the signals.
        let privileges = ["--reuid=\(user)", "--regid=\(user)", "--init-groups", command]
        return try ChildProcess(
            "/usr/bin/setpriv", privileges + arguments, environment: environment, folder: folder)
    }

    private static func unprivilegedUser() -> String {
        getpwnam("postgres") != nil ? "postgres" : "nobody"
    }

    /// A port that is free and that no other test uses: between the look and the bind another could find it free as well.
    package static func freePort() throws -> UInt16 {
        while true {
            let port = try anyFreePort()
            if given.withLock({ $0.insert(port).inserted }) { return port }
        }
    }

    private static let given = Guarded<Set<UInt16>>([])

    private static func anyFreePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let done = withUnsafeMutableBytes(of: &address) { bytes -> Bool in
            guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
        }
        guard done else { throw StartFailure(description: "no free port: errno \(errno)") }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// 127.0.0.1 with a port.
func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}
