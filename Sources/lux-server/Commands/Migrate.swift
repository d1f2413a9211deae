import ArgumentParser
import Foundation
import LUXSettings
import Postgres

/// `lux-server migrate`
struct Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Apply the migrations.")

    @Flag(help: "List them and what was applied, and change nothing.")
    var status = false

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let (databaseURL, folder) = try options.read { reader in
            (reader.read(\.database.url), reader.migrationsFolder())
        }
        do {
            let session = try PostgresSession(connectionString: databaseURL)
            let migrator = Migrator(session: session, migrations: try Migration.all(in: folder)) {
                Environment.complain($0)
            }
            if status {
                for (migration, appliedAt) in try migrator.status() {
                    print("\(migration.name)  \(appliedAt.map { "applied \($0)" } ?? "not applied")")
                }
                for index in try migrator.invalidIndexes() {
                    print("invalid index \(index): drop it, or rebuild it with REINDEX INDEX CONCURRENTLY")
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
