import ArgumentParser
import LUX
import LUXOperations
import LUXSettings
import Postgres

extension LogExport.Format: ExpressibleByArgument {}

/// `lux-server export`
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what is stored to standard output.", subcommands: [Logs.self])

    /// `lux-server export logs`
    struct Logs: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the logs whose treatment began in a time span, in the order in which they were stored.",
            discussion: """
                A time is a date, or a date and a time as ISO 8601 has it; without an offset it is one of LUX_TIMEZONE.
                """)

        @Option(help: "The first time.")
        var from: String

        @Option(help: "The time before which they began.")
        var to: String

        @Option(help: "csv or jsonl.")
        var format = LogExport.Format.csv

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let (databaseURL, timeZone) = try options.read { reader in
                (reader.connectionString("DATABASE_URL"), reader.timeZone("LUX_TIMEZONE") ?? "Asia/Seoul")
            }
            guard let zone = WallClock(identifier: timeZone) else { throw ExitCode(Environment.configurationFault) }
            let span = (from: try Self.time(from, "--from", zone), to: try Self.time(to, "--to", zone))
            guard span.from < span.to else { throw ValidationError("--from must be before --to") }
            do {
                let output = StandardOutput()
                let session = try PostgresSession(connectionString: databaseURL)
                let count = try LogExport(span: span, format: format).run(session, output.write)
                try output.flush()
                Environment.complain("exported \(count) logs")
            } catch {
                throw Environment.failure(error)
            }
        }

        /// A date alone is its midnight.
        static func time(_ text: String, _ option: String, _ zone: WallClock) throws -> Timestamp {
            let full = text.utf8.count == 10 ? text + "T00:00:00" : text
            guard let time = Timestamp.parseISO8601(full.utf8, zone: zone) else {
                throw ValidationError("\(option): \(text) is no date and no ISO 8601 date-time")
            }
            return time
        }
    }
}
