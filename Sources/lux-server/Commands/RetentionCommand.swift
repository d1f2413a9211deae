import ArgumentParser
import LUXOperations
import LUXSettings
import LUXStore
import Postgres

/// `lux-server retention`
struct RetentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention", abstract: "Delete what is older than it may be kept.", subcommands: [Run.self])

    /// `lux-server retention run`
    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete logs, messages, audit rows and idempotency keys that are older than configured.",
            discussion: """
                LUX_RETENTION_LOGS, _MESSAGES, _AUDIT and _KEYS are ages in days; what has none is kept forever. Deletes in \
                batches, while the server runs. Needs the rights of lux_privacy (deploy/grants.sql). deploy/ has a timer for it.
                """)

        @Flag(help: "Count what would be deleted, and delete nothing.")
        var dryRun = false

        @OptionGroup var actor: ActorOptions

        @OptionGroup var output: OutputOptions

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let (databaseURL, days) = try options.read { reader in
                let configured = reader.retention()
                var days: [RetainedData: Int] = [:]
                days[.logs] = configured.logs
                days[.messages] = configured.messages
                days[.audit] = configured.audit
                days[.keys] = configured.keys
                return (reader.read(\.database.url), days)
            }
            let actor = try actor.actor()
            do {
                let retention = Retention(
                    session: try PostgresSession(connectionString: databaseURL), actor: actor)
                output.print(try retention.run(keeping: days, isDryRun: dryRun))
            } catch {
                throw Environment.failure(error)
            }
        }
    }
}
