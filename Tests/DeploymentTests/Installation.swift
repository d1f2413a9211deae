import Foundation
import LUXTestSupport
import Testing

/// A cluster of its own with the roles, the database and the rights that docs/operations.md gives them.
struct Installation {
    let cluster: TestCluster
    let database: TestDatabase

    /// Creates roles and an empty database.
    init(isDurable: Bool = false) throws {
        cluster = try TestCluster(isDurable: isDurable)
        database = TestDatabase(cluster: cluster, name: "lux")
        let sql = try cluster.session()
        let document = try DeploymentFile.text("docs/operations.md")
        let block = try #require(document.firstMatch(of: /```sql\n(create role lux_owner[\s\S]*?)```/)).output.1
        // One by one: a database is not created within a transaction.
        for statement in block.split(separator: ";\n") { try sql.script(String(statement)) }
    }

    /// The connection string of a role.
    func url(_ role: String) -> String {
        cluster.connectionString("lux").replacing("postgres@", with: role + "@")
    }

    /// Runs the program as a role.
    func run(_ role: String, _ arguments: [String], environment: [String: String] = [:]) throws -> LUXCommand {
        try LUXCommand.run(arguments, environment: ["DATABASE_URL": url(role)].merging(environment) { $1 })
    }

    /// Runs deploy/grants.sql as the owner.
    func grant() throws {
        try SQLSession(url("lux_owner")).script(DeploymentFile.text("deploy/grants.sql"))
    }

    func serve(_ environment: [String: String] = [:]) throws -> TestServer {
        try TestServer(database, environment: ["DATABASE_URL": url("lux")].merging(environment) { $1 })
    }

    /// Starts commands of docs/operations.md. Those for `postgres` are run by this user, as PostgreSQL's superuser.
    func shell(_ commands: String) throws -> ChildProcess {
        let programs = try #require(Locations.postgresPrograms)
        return try ChildProcess(
            "/bin/sh", ["-ec", commands.replacing(["runuser -u postgres -- ": ""])],
            environment: [
                "PATH": "\(programs):/usr/sbin:/usr/bin:/sbin:/bin", "PGHOST": "127.0.0.1",
                "PGPORT": String(cluster.port), "PGUSER": "postgres",
            ], folder: "/")
    }
}
