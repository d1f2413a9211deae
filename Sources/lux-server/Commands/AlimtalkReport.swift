import ArgumentParser
import LUXSettings
import LUXStore
import Postgres

extension AlimtalkCommand {
    /// `lux-server alimtalk report`
    struct Report: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Count messages by account and outcome.")

        @Option(
            help: ArgumentHelp(
                "2025-02-21, 2025-02-21T15:00, with or without an offset (else in LUX_TIMEZONE), 24h or 7d.",
                valueName: "time"))
        var since = "24h"

        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard isAge || since.wholeMatch(of: /\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)?)?/) != nil
            else {
                throw ValidationError("--since must be a date, a date and time, or an age such as 24h or 7d")
            }
        }

        private var isAge: Bool { since.wholeMatch(of: /[0-9]{1,5}[hd]/) != nil }

        func run() throws {
            let (databaseURL, timeZone) = try options.read { reader in
                (reader.read(\.database.url), reader.read(\.database.timeZone))
            }
            do {
                let session = try PostgresSession(connectionString: databaseURL)
                print(
                    Self.table(try MessageCounts.rows(since: since, isAge: isAge, timeZone: timeZone, session)))
            } catch {
                throw Environment.failure(error)
            }
        }

        /// Right-aligned columns, and the sums of all accounts below.
        private static func table(_ rows: [[String]]) -> String {
            let columns = MessageCounts.columns
            let sums = columns.indices.dropFirst().map { column in
                String(rows.reduce(0) { $0 + (Int($1[column]) ?? 0) })
            }
            let lines = [columns] + rows + [["all"] + sums]
            let widths = columns.indices.map { column in lines.map(\.[column].count).max() ?? 0 }
            return lines.map { line in
                zip(line, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }.joined(separator: "  ")
            }.joined(separator: "\n")
        }
    }
}
