import Foundation
import Glibc
import LUXTestSupport
import Testing

/// pgBackRest, as docs/operations.md has it: a base backup under load, a lost data folder, a restore to a moment.
///
/// `LUX_RESTORES` changes how often; see `Scripts/drill-restore`.
@Suite struct PointInTimeTests {
    private static let times = ProcessInfo.processInfo.environment["LUX_RESTORES"].flatMap { Int($0) } ?? 1

    @Test(.requires("pgbackrest"))
    func `nothing that was acknowledged before the moment is missing`() async throws {
        for number in 0..<Self.times { try await onThread { try Self.restore(number) } }
    }

    /// The page's commands with the paths of a test, run as the user of the cluster.
    private struct Machine {
        let installation: Installation
        let folder: String
        let data: String

        init(_ installation: Installation) throws {
            self.installation = installation
            folder = try makeTemporaryFolder()
            data = try #require(try installation.cluster.session().query("show data_directory").first?.first ?? nil)
            chmod(folder, 0o777)
        }

        func run(_ commands: [String]) throws {
            let user = getuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --init-groups " : ""
            let local = """
                [global]
                lock-path=\(folder)/lock
                log-path=\(folder)/log
                """
            let text = commands.joined(separator: "\n")
                .replacing("/etc/pgbackrest.conf", with: folder + "/pgbackrest.conf")
                .replacing("/var/lib/pgbackrest", with: folder + "/repository")
                .replacing("/var/lib/postgresql/15/main", with: data)
                .replacing("[global]", with: local)
                .replacing(
                    "pg1-path=\(data)",
                    with: """
                        pg1-path=\(data)
                        pg1-port=\(installation.cluster.port)
                        pg1-socket-path=\(installation.cluster.folder)
                        """
                )
                .replacing("runuser -u postgres -- psql", with: "psql")
                .replacing("runuser -u postgres -- ", with: user)
                .replacing("pgbackrest --stanza", with: "pgbackrest --config=\(folder)/pgbackrest.conf --stanza")
                .replacing("archive_timeout = '60s'", with: "archive_timeout = '1s'")
            let programs = try #require(Locations.postgresPrograms)
            let process = try ChildProcess(
                "/bin/sh", ["-ec", getuid() == 0 ? text : text.replacing(" -o postgres -g postgres", with: "")],
                environment: [
                    "PATH": "\(programs):/usr/sbin:/usr/bin:/sbin:/bin", "PGHOST": "127.0.0.1",
                    "PGPORT": String(installation.cluster.port), "PGUSER": "postgres", "LC_ALL": "C",
                ], folder: "/")
            #expect(process.wait(seconds: 300) == .exit(0), "\(process.output)\(process.errors)")
        }
    }

    private static func lines(containing text: String) throws -> [String] {
        try OperationsPage.block(containing: text).split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("apt-get") }
    }

    private static func restore(_ number: Int) throws {
        let installation = try Installation(isDurable: true)
        let cluster = installation.cluster
        defer { cluster.stop() }
        let machine = try Machine(installation)
        let setUp = try lines(containing: "stanza-create")
        let restart = try #require(setUp.firstIndex { $0.hasPrefix("systemctl restart") })
        try machine.run(Array(setUp[..<restart]))
        cluster.stop()
        try cluster.start()
        #expect(try installation.run("lux_owner", ["migrate"]).ending == .exit(0))
        try installation.grant()

        let server = try installation.serve()
        let load = try UploadLoad(World(installation.database, server))
        let (stopped, finished) = (Flag(), Flag())
        let port = server.port
        Thread.detachNewThread {
            try? load.run(until: stopped) { _ in port }
            finished.set()
        }
        func waitForMore(than count: Int) {
            for _ in 0..<6_000 where load.acknowledged.count <= count { usleep(10_000) }
        }
        waitForMore(than: 20)
        let beforeBackup = Date()
        try machine.run(Array(setUp[(restart + 1)...]))
        let backup = Date().timeIntervalSince(beforeBackup)
        waitForMore(than: load.acknowledged.count + 100)
        // pgBackRest compares whole seconds: the moment has to lie in a later one than the end of the backup.
        let ended = Date()
        while Date().timeIntervalSince(ended) < 1.5 { usleep(50_000) }

        let kept = load.acknowledged
        let sql = try installation.database.session()
        let row = try sql.query("select clock_timestamp(), pg_walfile_name(pg_current_wal_lsn())")[0]
        let (moment, segment) = (try #require(row[0]), try #require(row[1]))
        waitForMore(than: kept.count + 50)
        // Until what the moment needs is archived; the page names the time for which that may take.
        for _ in 0..<600 {
            let archived = try sql.query("select last_archived_wal from pg_stat_archiver").first?.first ?? nil
            if archived ?? "" >= segment { break }
            usleep(50_000)
        }
        cluster.kill()
        stopped.set()
        while !finished.isSet { usleep(10_000) }
        server.process.signal(SIGKILL)

        let beforeRestore = Date()
        let commands = try lines(containing: "--target-action=promote").filter { !$0.hasPrefix("systemctl") }
        try machine.run(commands.map { $0.replacing("2026-01-31 14:05:00+09", with: moment) })
        try cluster.start()
        let restored = try installation.database.session()
        for _ in 0..<1_200 where try restored.integer("select pg_is_in_recovery()::int") == 1 { usleep(50_000) }
        let duration = Date().timeIntervalSince(beforeRestore)
        let (lost, figures) = (try load.lost(kept, in: restored), try load.figures(restored))
        #expect(lost == 0 && figures.duplicated == 0, "\(lost) of \(kept.count)")
        #expect(try installation.run("lux", ["migrate", "--status"]).ending == .exit(0))
        let after = try installation.serve()
        #expect(after.waits(for: 200, at: "/readyz"))
        #expect(try load.repeatOpen(port: after.port) >= 0)
        after.stop()
        print(
            "restore \(number): \(kept.count) uploads acknowledged before the moment, \(lost) missing,"
                + " \(figures.acknowledged - kept.count) acknowledged after it;"
                + " backup \(Int(backup * 1_000)) ms, restore \(Int(duration * 1_000)) ms")
    }
}
