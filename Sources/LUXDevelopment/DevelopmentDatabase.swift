import FoundationEssentials
import Glibc
import Postgres

/// A private PostgreSQL for development: created at the first start, kept between runs, stopped with its owner.
///
/// Its socket is in a folder that only its user may enter, without a password; over loopback it demands the password
/// in `password`. PostgreSQL does not run as root, so for root it runs as another user.
package final class DevelopmentDatabase {
    /// Why there is no database.
    package struct StartError: Error, CustomStringConvertible {
        package var description: String
    }

    private let folder: URL
    private let binaries: URL
    private let account: UnprivilegedAccount?
    private var data: URL
    private var sockets: URL
    private var port = 0
    private var postmaster: PostgresProgram?

    /// - Parameter folder: where everything is kept; created if it does not exist.
    /// - Throws: ``StartError`` when no PostgreSQL of version 15 or later is installed.
    package init(folder: URL) throws {
        self.folder = folder
        try FileManager.default.createDirectory(
            at: folder.deletingLastPathComponent(), withIntermediateDirectories: true)
        // The working directory may be one that others write, such as /tmp.
        try PrivateFile.requireFolder(folder.path, mode: 0o755)
        binaries = try PostgresBinaries.find()
        account = geteuid() == 0 ? try UnprivilegedAccount.find() : nil
        data = folder.appendingPathComponent("data")
        sockets = folder.appendingPathComponent("run")
        try chooseReachableFolders()
    }

    /// How to connect to it; valid once ``start()`` returned.
    package var connectionString: String {
        "host='\(sockets.path.replacing("'", with: "\\'"))' port=\(port) user=lux dbname=lux"
    }

    /// The port on 127.0.0.1, for other programs.
    package var loopbackPort: Int { port }

    /// Creates the cluster if there is none, starts it and waits until it responds.
    package func start() throws {
        if !FileManager.default.fileExists(atPath: data.appendingPathComponent("PG_VERSION").path) { try makeCluster() }
        port = try Self.freePort()
        postmaster = try run(
            "postgres", ["-D", data.path, "-k", sockets.path, "-p", String(port), "-c", "listen_addresses=127.0.0.1"])
        try waitUntilReady()
    }

    /// Stops it, disconnecting all clients (the fast shutdown of postgres(1)).
    package func stop() {
        guard let postmaster, postmaster.isRunning else { return }
        postmaster.interrupt()
        postmaster.wait()
    }

    private func makeCluster() throws {
        let password = try keptSecret("password")
        // Where initdb can read it as any user.
        let passwordFile = sockets.appendingPathComponent("password")
        try PrivateFile.write(password, to: passwordFile.path, for: account)
        defer { try? FileManager.default.removeItem(at: passwordFile) }
        let initdb = try run(
            "initdb",
            [
                "-D", data.path, "-U", "lux", "--encoding=UTF8", "--locale=C", "--auth-local=trust",
                "--auth-host=scram-sha-256", "--pwfile=\(passwordFile.path)",
            ])
        guard initdb.wait() else { throw StartError(description: "initdb failed:\n" + output) }
    }

    private func waitUntilReady() throws {
        let administration = connectionString.replacing("dbname=lux", with: "dbname=postgres")
        for _ in 0..<600 {
            if let session = try? PostgresSession(connectionString: administration) {
                let exists = try session.query("select 1 from pg_database where datname = 'lux'")
                if exists.isEmpty { try session.execute(script: "create database lux") }
                return
            }
            guard postmaster?.isRunning == true else { break }
            usleep(50_000)
        }
        throw StartError(description: "PostgreSQL did not start:\n" + output.suffix(2_000))
    }

    // MARK: Programs

    private var log: URL { folder.appendingPathComponent("postgres.log") }

    /// What the last program has written.
    private var output: String { String(decoding: (try? Data(contentsOf: log)) ?? Data(), as: UTF8.self) }

    private func run(_ name: String, _ arguments: [String]) throws -> PostgresProgram {
        try PrivateFile.write("", to: log.path)
        return try PostgresProgram(
            binaries.appendingPathComponent(name).path, arguments, as: account, log: log.path)
    }

    // MARK: Folders and users

    /// Another user may be unable to enter the folder, below /root for instance, and a socket's path has at most 107
    /// bytes (unix(7)). Then they are in /var/tmp under a name derived from the folder's.
    private func chooseReachableFolders() throws {
        var hash: UInt64 = 14_695_981_039_346_656_037  // FNV-1a
        for byte in folder.path.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        let elsewhere = URL(fileURLWithPath: "/var/tmp/lux-\(String(hash, radix: 16))")
        let reachable = account.map { $0.canEnter(folder) } ?? true
        if !reachable { data = elsewhere.appendingPathComponent("data") }
        if !reachable || sockets.path.utf8.count > 80 { sockets = elsewhere.appendingPathComponent("run") }
        for url in [data, sockets] {
            let parent = url.deletingLastPathComponent()
            // Anybody can create folders in /var/tmp. PostgreSQL's user enters this one, and cannot write it.
            if parent.path == elsewhere.path { try PrivateFile.requireFolder(parent.path, mode: 0o755) }
            try PrivateFile.requireFolder(url.path, for: account)
        }
    }

    /// A secret that is created once and kept in the folder.
    package func keptSecret(_ name: String) throws -> String {
        let url = folder.appendingPathComponent(name)
        if let text = try? String(contentsOf: url, encoding: .utf8), text.utf8.count >= 32 { return text }
        let text = Self.randomText()
        try PrivateFile.write(text, to: url.path)
        return text
    }

    private static func randomText() -> String {
        (0..<4).map { _ in String(UInt64.random(in: .min ... .max) | 1 << 63, radix: 16) }.joined()
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw StartError(description: "cannot create a socket") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
            }
        }
        guard code == 0 else { throw StartError(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// The user that PostgreSQL runs as when root calls.
package struct UnprivilegedAccount {
    package let name: String
    package let user: uid_t
    package let group: gid_t

    /// `postgres` where the package has created it, else `nobody`.
    package static func find() throws -> UnprivilegedAccount {
        for name in ["postgres", "nobody"] {
            if let entry = getpwnam(name)?.pointee, entry.pw_uid != 0 {
                return UnprivilegedAccount(name: name, user: entry.pw_uid, group: entry.pw_gid)
            }
        }
        throw DevelopmentDatabase.StartError(
            description: "PostgreSQL does not run as root, and there is no user postgres or nobody")
    }

    /// Whether others may enter every folder of the path.
    package func canEnter(_ folder: URL) -> Bool {
        var url = folder.standardizedFileURL
        while true {
            var status = stat()
            guard stat(url.path, &status) == 0 else { return false }
            let bits: mode_t = status.st_uid == user ? 0o100 : status.st_gid == group ? 0o010 : 0o001
            guard status.st_mode & bits != 0 else { return false }
            if url.path == "/" { return true }
            url.deleteLastPathComponent()
        }
    }
}

/// Finds the programs of an installed PostgreSQL.
package enum PostgresBinaries {
    /// The folder that contains `initdb` and `postgres`, of version 15 or later, the newest where there are several.
    package static func find() throws -> URL {
        let files = FileManager.default
        let debian = "/usr/lib/postgresql"
        let versions = ((try? files.contentsOfDirectory(atPath: debian)) ?? []).compactMap { Int($0) }
        let packaged = versions.sorted(by: >).filter { $0 >= 15 }.map { "\(debian)/\($0)/bin" }
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for folder in packaged + path
        where files.isExecutableFile(atPath: folder + "/initdb")
            && files.isExecutableFile(atPath: folder + "/postgres")
        {
            return URL(fileURLWithPath: folder)
        }
        throw DevelopmentDatabase.StartError(
            description: "PostgreSQL 15 or later is not installed; on Debian: apt-get install postgresql")
    }
}
