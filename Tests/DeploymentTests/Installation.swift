import Foundation
import LUXTestSupport
import Testing

/// A cluster of its own with the roles, the database and the rights that docs/operations.md gives them.
struct Installation {
    let cluster: TestCluster
    let database: TestDatabase

    /// Makes roles and an empty database.
    init() throws {
        cluster = try TestCluster()
        database = TestDatabase(cluster: cluster, name: "lux")
        let sql = try cluster.session()
        let document = try DeploymentFile.text("docs/operations.md")
        let block = try #require(document.firstMatch(of: /```sql\n(create role lux_owner[\s\S]*?)```/)).output.1
        // One by one: a database is not made within a transaction.
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

    /// Runs one of PostgreSQL's programs, as the user that the cluster runs as.
    func run(program: String, _ arguments: [String]) throws {
        let path = try #require(Locations.postgresPrograms) + "/" + program
        let process = try cluster.runUnprivileged(path, arguments)
        #expect(process.wait(seconds: 120) == .exit(0), "\(program): \(process.errors)")
    }
}
