import ArgumentParser
import LUXOperations
import LUXSettings
import Postgres

/// `lux-server migrate`
struct Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Apply the migrations.")

    @Flag(help: "List them and what was applied, and change nothing.")
    var status = false

    @OptionGroup var output: OutputOptions

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let (databaseURL, folder) = try options.read { reader in
            (reader.read(\.database.url), reader.migrationsFolder())
        }
        do {
            let session = try PostgresSession(connectionString: databaseURL)
            let migrator = Migrator(session: session, migrations: try Migration.all(in: folder)) {
                Environment.printError("waiting for \($0)")
            }
            if status {
                show(try migrator.status(), invalidIndexes: try migrator.invalidIndexes())
            } else {
                try PoolerError.requireOwnSessions(databaseURL)
                show(applied: try migrator.apply())
            }
        } catch {
            throw Environment.failure(error)
        }
    }

    private func show(_ status: [Migrator.Status], invalidIndexes: [String]) {
        guard output.json else {
            for (migration, appliedAt) in status {
                print("\(migration.name)  \(appliedAt.map { "applied \($0)" } ?? "not applied")")
            }
            for index in invalidIndexes {
                print("invalid index \(index): drop it, or rebuild it with REINDEX INDEX CONCURRENTLY")
            }
            return
        }
        var report = Report()
        let rows = status.map { migration, appliedAt in
            var row = Report()
            row.add("name", .text(migration.name))
            row.add("applied_at", .text(appliedAt))
            return (text: migration.name, json: row.json)
        }
        report.add("migrations", .rows(rows))
        report.add("invalid_indexes", .list(invalidIndexes))
        output.print(report)
    }

    private func show(applied names: [String]) {
        guard output.json else {
            for name in names { print("applied \(name)") }
            if names.isEmpty { print("nothing to apply") }
            return
        }
        var report = Report()
        report.add("applied", .list(names))
        output.print(report)
    }
}
