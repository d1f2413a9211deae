import ArgumentParser
import LUXSettings
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

        private static let columns = [
            "user", "messages", "sent", "failed", "unknown", "pending", "delivered", "undelivered",
        ]

        private static let counts = """
            select coalesce(user_id::text, '-'), count(*), count(*) filter (where status = 'sent'),
              count(*) filter (where status = 'failed'), count(*) filter (where status = 'unknown'),
              count(*) filter (where status = 'pending'), count(*) filter (where delivery = 'delivered'),
              count(*) filter (where delivery = 'undelivered')
            from alimtalks where created_at >= SINCE
            group by user_id order by count(*) desc, user_id
            """

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
                try session.query("select set_config('timezone', $1, false)", [timeZone])
                let start = isAge ? "now() - $1::interval" : "$1::timestamptz"
                let rows = try session.query(Self.counts.replacing("SINCE", with: start), [since])
                print(Self.table(rows.map { $0.map { $0 ?? "" } }))
            } catch {
                throw Environment.failure(error)
            }
        }

        /// Right-aligned columns, and the sums of all accounts below.
        private static func table(_ rows: [[String]]) -> String {
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
