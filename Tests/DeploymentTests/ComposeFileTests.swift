import Foundation
import Glibc
import LUXTestSupport
import Testing

/// The commands of the containers of docker-compose.yml, on a PostgreSQL of this machine that requires passwords.
private struct ComposeFile {
    let cluster: TestCluster
    /// In place of deploy/secrets/ and, in the containers, /run/secrets/.
    let secrets: String

    init() throws {
        cluster = try TestCluster()
        secrets = try makeTemporaryFolder()
    }

    func shell(_ commands: String) throws -> Tool {
        let here = "export PGHOST=127.0.0.1 PGPORT=\(cluster.port) POSTGRES_USER=postgres;"
        return try Tool("sh", ["-ec", here + commands.replacing("/run/secrets", with: secrets)])
    }

    func createSecrets() throws {
        let block = try OperationsPage.block(containing: "> postgres-password").split(separator: "\n")
            .filter { !$0.hasPrefix("chown") && !$0.hasPrefix("docker") }.joined(separator: "\n")
        let run = try shell(
            block.replacing(["deploy/secrets": secrets, "host=postgres": "host=127.0.0.1 port=$PGPORT"]))
        #expect(run.isDone, "\(run.everything)")
        for name in try FileManager.default.contentsOfDirectory(atPath: secrets) {
            let mode = try FileManager.default.attributesOfItem(atPath: "\(secrets)/\(name)")[.posixPermissions] as? Int
            #expect(mode == (name.hasSuffix(".url") ? 0o640 : 0o600), "\(name)")
        }
    }

    /// As in the image: all but the superuser of the same machine come in by password.
    func requirePasswords() throws {
        try "local all postgres trust\nhost all postgres all trust\nhost all all all scram-sha-256\n"
            .write(toFile: cluster.folder + "/data/pg_hba.conf", atomically: false, encoding: .utf8)
        _ = try cluster.session().query("select pg_reload_conf()")
        let deadline = Date(timeIntervalSinceNow: 30)
        let open = "host=127.0.0.1 port=\(cluster.port) dbname=lux user=lux_owner"
        while (try? SQLSession(open)) != nil, Date() < deadline { usleep(20_000) }
        #expect(throws: (any Error).self) { try SQLSession(open) }
    }

    func run(_ role: String, _ arguments: [String]) throws -> LUXCommand {
        try LUXCommand.run(arguments, environment: ["DATABASE_URL_FILE": "\(secrets)/\(role).url"])
    }
}

/// docker-compose.yml, as far as it can be checked without Docker: what its services run, one after the other.
@Suite struct ComposeFileTests {
    @Test func `creates roles, tables and rights, and serves as a role that may do no more than that`() async throws {
        try await onThread {
            let compose = try ComposeFile()
            let (cluster, secrets) = (compose.cluster, compose.secrets)
            defer { cluster.stop() }
            try compose.createSecrets()
            let created = try compose.shell(DeploymentFile.text("deploy/postgres-init.sh"))
            #expect(created.isDone, "\(created.everything)")
            try compose.requirePasswords()
            let services = try #require(ContainerTests.compose()["services"])
            func command(_ name: String) -> [String] {
                services[name]?["command"]?.items?.compactMap(\.string) ?? []
            }
            // Twice, as with the second `docker compose up`.
            for _ in 0..<2 {
                #expect(try compose.run("lux_owner", command("migrate")).ending == .exit(0))
                let grants = try #require(command("grants").first).replacing([
                    "$$": "$", "/grants.sql": DeploymentFile.path("deploy/grants.sql"),
                ])
                let granted = try compose.shell(grants)
                #expect(granted.isDone, "\(granted.everything)")
            }
            let rows = secrets + "/devices.csv"
            try "unique_id,serial_code\nunit-of-desk,SN-of-desk\n"
                .write(toFile: rows, atomically: true, encoding: .utf8)
            let provisioned = try compose.run("lux_desk", ["provision", "devices", rows])
            #expect(provisioned.ending == .exit(0), "\(provisioned.everything)")

            #expect(command("server") == ["serve"])
            let database = TestDatabase(cluster: cluster, name: "lux")
            let server = try TestServer(
                database, environment: ["DATABASE_URL": "", "DATABASE_URL_FILE": secrets + "/lux.url"])
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let record = World.record(child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: 1)
            #expect(try server.call("GET", "/readyz").status == 200)
            #expect(try world.upload([record], as: user).status == 200)
            let sql = try database.session()
            let served = "select count(*) from pg_stat_activity where usename = 'lux' and datname = 'lux'"
            #expect(try sql.integer(served) > 0)
            let more = """
                select count(*) from pg_roles where rolname like 'lux%'
                    and (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls)
                """
            #expect(try sql.integer(more) == 0)
            #expect(try sql.integer("select count(*) from pg_roles where rolname like 'lux%'") == 4)
            server.stop()
        }
    }
}
