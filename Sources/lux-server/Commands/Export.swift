import ArgumentParser
import LUX
import LUXOperations
import LUXSettings
import LUXStore
import Postgres
import TimeZones

extension LogExport.Format: ExpressibleByArgument {}

/// `lux-server export`
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what is stored to standard output.", subcommands: [Logs.self, Oversized.self])

    /// `lux-server export logs`
    struct Logs: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the logs whose treatment began in a time span, in the order in which they were stored.",
            discussion: """
                A time is a date, or a date and a time as ISO 8601 has it; without an offset it is one of LUX_TIMEZONE. \
                Each export leaves an access record.
                """)

        @Option(help: "The first time.")
        var from: String

        @Option(help: "The time before which they began.")
        var to: String

        @Option(help: "csv or jsonl.")
        var format = LogExport.Format.csv

        @Option(help: "Only the logs of this child (its id).")
        var child: Int64?

        @Option(help: "Only the logs of this device (its unique_id).")
        var device: String?

        @Option(help: "Only the logs of the children of this account (its user id).")
        var account: Int64?

        @Option(help: "Only logs with a higher id, to go on where an export was interrupted.")
        var after: Int64?

        @Flag(help: "CSV: put an apostrophe before a cell that begins with =, +, - or @.")
        var spreadsheetSafe = false

        @Flag(help: "CSV: begin with a UTF-8 byte order mark.")
        var bom = false

        @OptionGroup var actor: ActorOptions

        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard format == .csv || !(spreadsheetSafe || bom) else {
                throw ValidationError("--spreadsheet-safe and --bom are for --format csv")
            }
        }

        func run() throws {
            let (databaseURL, clock) = try options.read { reader in
                (reader.read(\.database.url), reader.clock())
            }
            let span = (from: try Self.time(from, "--from", clock), to: try Self.time(to, "--to", clock))
            guard span.from < span.to else { throw ValidationError("--from must be before --to") }
            let export = LogExport(
                span: span, format: format,
                filter: LogExport.Filter(childID: child, deviceUniqueID: device, userID: account, afterID: after),
                isSpreadsheetSafe: spreadsheetSafe, hasByteOrderMark: bom)
            let count = try RecordedOutput.write("export logs", export.subject, databaseURL, actor.actor(), export.run)
            Environment.printError("exported \(count) logs")
        }

        /// A date alone is its midnight.
        static func time(_ text: String, _ option: String, _ clock: WallClock) throws -> Timestamp {
            let full = text.utf8.count == 10 ? text + "T00:00:00" : text
            guard let time = Timestamp.parseISO8601(full.utf8, zone: clock) else {
                throw ValidationError("\(option): \(text) is neither a date nor an ISO 8601 date-time")
            }
            return time
        }
    }

    /// `lux-server export oversized`
    struct Oversized: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Find logs with numbers on which a backup or an export fails.",
            discussion: """
                Uploads with such numbers are rejected; this finds what was stored before. It writes a CSV of the logs and \
                reads the whole table, without writing any of the numbers out. Exit 1 when there are any.
                """)

        @OptionGroup var actor: ActorOptions

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let databaseURL = try options.read { $0.read(\.database.url) }
            let count = try RecordedOutput.write(
                "export oversized", AccessSubject("logs"), databaseURL, actor.actor(), OversizedLogs.run)
            Environment.printError("found \(count) logs")
            if count > 0 { throw ExitCode(1) }
        }
    }
}
