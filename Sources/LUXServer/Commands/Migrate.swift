import ArgumentParser
import Foundation
import Postgres

/// `lux-server migrate`
struct Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Apply the migrations.")

    @Flag(help: "List them and what was applied, and change nothing.")
    var status = false

    func run() throws {
        var reader = EnvironmentReader(environment: ProcessInfo.processInfo.environment)
        let databaseURL = reader.connectionString("DATABASE_URL")
        let folder = reader.migrationsFolder()
        for fault in reader.faults { Environment.complain("\(fault)") }
        guard reader.faults.isEmpty else { throw ExitCode(Environment.configurationFault) }
        do {
            let session = try PostgresSession(connectionString: databaseURL)
            let migrator = Migrator(session: session, migrations: try Migration.all(in: folder))
            if status {
                for (migration, appliedAt) in try migrator.status() {
                    print("\(migration.name)  \(appliedAt.map { "applied \($0)" } ?? "not applied")")
                }
            } else {
                let applied = try migrator.apply()
                for name in applied { print("applied \(name)") }
                if applied.isEmpty { print("nothing to apply") }
            }
        } catch {
            throw Environment.failure(error)
        }
    }
}
