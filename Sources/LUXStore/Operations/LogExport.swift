import LUX
import Postgres

/// Writes the logs of a time span by `COPY`, one after the other as the database sends them. Owned by its command and used on its
/// thread.
package struct LogExport {
    /// The filters of an export; a log must match all of them.
    package struct Filter {
        package var childID: Int64?
        package var deviceUniqueID: String?
        package var userID: Int64?
        /// Only logs with a higher id, to resume an interrupted export.
        package var afterID: Int64?

        package init(
            childID: Int64? = nil, deviceUniqueID: String? = nil, userID: Int64? = nil, afterID: Int64? = nil
        ) {
            self.childID = childID
            self.deviceUniqueID = deviceUniqueID
            self.userID = userID
            self.afterID = afterID
        }
    }

    /// How a log is written.
    package enum Format: String, CaseIterable { case csv, jsonl }

    /// From the first time, inclusive, to the second, exclusive.
    private let span: (from: Timestamp, to: Timestamp)
    private let format: Format
    private let filter: Filter
    private let isSpreadsheetSafe: Bool
    private let hasByteOrderMark: Bool

    /// - Parameters:
    ///   - isSpreadsheetSafe: of CSV, whether a cell that a spreadsheet would run as a formula gets an apostrophe in front.
    ///   - hasByteOrderMark: of CSV, whether it begins with U+FEFF, by which spreadsheets recognise UTF-8.
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

    /// The subject of the access record: the span and the filters.
    package var subject: AccessSubject {
        let times = [span.from, span.to].map { time in
            var bytes: [UInt8] = []
            time.appendISO8601(to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        var parts = ["logs from \(times[0]) to \(times[1])"]
        if let device = filter.deviceUniqueID { parts.append("device \(device)") }
        if let child = filter.childID { parts.append("child \(child)") }
        if let user = filter.userID { parts.append("user \(user)") }
        return AccessSubject(parts.joined(separator: ", "), userID: filter.userID, childID: filter.childID)
    }

    /// Writes them.
    ///
    /// - Parameter count: grows with each log that was written.
    /// - Throws: `PostgresError`, what `write` throws.
    package func run(
        _ session: PostgresSession, count: inout Int, _ write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        switch format {
        case .csv:
            if hasByteOrderMark { try [UInt8]([0xEF, 0xBB, 0xBF]).withUnsafeBytes(write) }
            let columns = Self.columns.map { name, value in
                "\(isSpreadsheetSafe ? Self.spreadsheetSafe(value) : value) as \(name)"
            }
            try CSVCopy.run(try logs(columns, session), session, count: &count, write)
        case .jsonl:
            let columns = Self.columns.map { name, value in "\(value) as \(name)" }
            // JSON contains no control characters, so that with these COPY never quotes.
            let options = "format csv, quote E'\\x01', escape E'\\x01', delimiter E'\\x02'"
            try session.copyOut(
                "copy (select row_to_json(e) from (\(try logs(columns, session))) e) to stdout (\(options))"
            ) {
                count += 1
                try write($0)
            }
        }
    }

    /// Columns with their values. Times have all the digits of the database, so that nothing is lost.
    private static let columns: [(name: String, value: String)] = [
        "id", "device_id", "unique_id", "real_user_id", "log_file_id", "treatment_date", "finish_flag",
        "last_intensity", "treatment_time", "detail_data", "created_at", "updated_at", "temp_treatment_date",
    ].map { name in
        if name == "unique_id" { return (name, "d.unique_id") }
        guard name.hasSuffix("_date") || name.hasSuffix("_at") else { return (name, "l.\(name)") }
        return (name, #"to_char(l.\#(name) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#)
    }

    private static func spreadsheetSafe(_ value: String) -> String {
        #"case when \#(value)::text ~ E'^[=+@\t\r-]' then '''' || \#(value)::text else \#(value)::text end"#
    }

    /// COPY takes no parameters: all values are numbers, except the device's.
    private func logs(_ columns: [String], _ session: PostgresSession) throws(PostgresError) -> String {
        var conditions = [("l.treatment_date >= ", span.from), ("l.treatment_date < ", span.to)].map {
            comparison, time in
            "\(comparison) timestamptz 'epoch' + bigint '\(time.microseconds)' * interval '1 microsecond'"
        }
        if let id = filter.afterID { conditions.append("l.id > \(id)") }
        if let id = filter.childID { conditions.append("l.real_user_id = \(id)") }
        if let id = filter.userID {
            conditions.append("l.real_user_id in (select id from real_users where root_user_id = \(id))")
        }
        if let uniqueID = filter.deviceUniqueID {
            let text = try session.literal(uniqueID)
            conditions.append("l.device_id = (select id from devices where unique_id = \(text))")
        }
        return """
            select \(columns.joined(separator: ", "))
            from device_logs l join devices d on d.id = l.device_id
            where \(conditions.joined(separator: " and ")) order by l.id
            """
    }
}

/// Writes the rows of a query as RFC 4180 has them, with a header line.
enum CSVCopy {
    /// PostgreSQL ends lines by a line feed alone; the last byte of each row is replaced.
    ///
    /// - Throws: `PostgresError`, what `write` throws.
    static func run(
        _ query: String, _ session: PostgresSession, count: inout Int,
        _ write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let lineEnd = Array("\r\n".utf8)
        var rows = -1
        defer { count += max(0, rows) }
        try session.copyOut("copy (\(query)) to stdout (format csv, header)") { row in
            try write(UnsafeRawBufferPointer(rebasing: row.dropLast()))
            try lineEnd.withUnsafeBytes(write)
            rows += 1
        }
    }
}
