import LUX
import Postgres

/// Writes the logs of a time span, one after the other as the database sends them. Owned by its command.
package struct LogExport {
    /// Whose logs are written; all that are given must be true of a log.
    package struct Filter {
        package var childID: Int64?
        package var deviceUniqueID: String?
        package var userID: Int64?

        package init(childID: Int64? = nil, deviceUniqueID: String? = nil, userID: Int64? = nil) {
            self.childID = childID
            self.deviceUniqueID = deviceUniqueID
            self.userID = userID
        }
    }

    /// How a log is written.
    package enum Format: String, CaseIterable { case csv, jsonl }

    /// From the first time on, before the second.
    package var span: (from: Timestamp, to: Timestamp)
    package var format: Format
    package var filter: Filter
    /// Of CSV: see `CSVWriter`.
    package var isSpreadsheetSafe: Bool
    /// Of CSV: whether it begins with a byte order mark.
    package var hasByteOrderMark: Bool

    package init(
        span: (from: Timestamp, to: Timestamp), format: Format, filter: Filter = Filter(),
        isSpreadsheetSafe: Bool = false, hasByteOrderMark: Bool = false
    ) {
        self.span = span
        self.format = format
        self.filter = filter
        self.isSpreadsheetSafe = isSpreadsheetSafe
        self.hasByteOrderMark = hasByteOrderMark
    }

    private static let columns = [
        "id", "device_id", "unique_id", "real_user_id", "log_file_id", "treatment_date", "finish_flag",
        "last_intensity",
        "treatment_time", "detail_data", "created_at", "updated_at", "temp_treatment_date",
    ]

    /// Times with all the digits that the database has, so that nothing is lost.
    private static let logs: String = {
        let times = ["treatment_date", "created_at", "updated_at", "temp_treatment_date"]
        let values = columns.map { column in
            if column == "unique_id" { return "d.unique_id" }
            guard times.contains(column) else { return "l.\(column)" }
            return #"to_char(l.\#(column) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as \#(column)"#
        }
        return """
            select \(values.joined(separator: ", "))
            from device_logs l join devices d on d.id = l.device_id
            where l.treatment_date >= timestamptz 'epoch' + $1::bigint * interval '1 microsecond'
              and l.treatment_date < timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
              and ($3::bigint is null or l.real_user_id = $3::bigint)
              and ($4::text is null or l.device_id = (select id from devices where unique_id = $4::text))
              and ($5::bigint is null or l.real_user_id in (select id from real_users where root_user_id = $5::bigint))
            order by l.id
            """
    }()

    /// Writes them.
    ///
    /// - Returns: how many.
    /// - Throws: `PostgresError`, what `write` throws.
    package func run(_ session: PostgresSession, _ write: ([UInt8]) throws -> Void) throws -> Int {
        var count = 0
        var line: [UInt8] = []
        if format == .csv, hasByteOrderMark { try write(CSVWriter.byteOrderMark) }
        if format == .csv { try write(CSVWriter.record(Self.columns)) }
        let sql = format == .csv ? Self.logs : "select row_to_json(e) from (\(Self.logs)) e"
        let parameters: [String?] = [
            String(span.from.microseconds), String(span.to.microseconds), filter.childID.map { String($0) },
            filter.deviceUniqueID, filter.userID.map { String($0) },
        ]
        try session.stream(sql, parameters) { row in
            count += 1
            line.removeAll(keepingCapacity: true)
            switch format {
            case .csv: CSVWriter.append(record: row, to: &line, isSpreadsheetSafe: isSpreadsheetSafe)
            case .jsonl: line.append(contentsOf: "\(row.first.flatMap { $0 } ?? "null")\n".utf8)
            }
            try write(line)
        }
        return count
    }
}
