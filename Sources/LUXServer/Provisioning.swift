import LUX
import Postgres

/// Loads rows of a CSV file into a table, all of them or none.
struct Provisioning {
    /// What is wrong with a file, by line and column.
    struct Fault: Error, Equatable, CustomStringConvertible {
        var line: Int
        var column: String?
        var reason: String

        var description: String { "line \(line)" + (column.map { ", column \($0)" } ?? "") + ": \(reason)" }
    }

    /// A column that a file may have.
    private struct Column {
        var name: String
        var type: String
        /// What an empty field becomes where that is not NULL; SQL.
        var otherwise: String?
        var isRequired = false
    }

    /// What can be provisioned.
    enum Kind: String, CaseIterable {
        case devices, users, children

        var table: String { self == .children ? "real_users" : rawValue }
    }

    private let kind: Kind
    private let columns: [Column]

    init(_ kind: Kind) {
        self.kind = kind
        let id = Column(name: "id", type: "bigint", otherwise: "nextval(pg_get_serial_sequence('\(kind.table)', 'id'))")
        let createdAt = Column(name: "created_at", type: "timestamptz", otherwise: "now()")
        switch kind {
        case .users:
            columns = [id, Column(name: "phone_number", type: "text"), createdAt]
        case .children:
            columns =
                [id, Column(name: "root_user_id", type: "bigint", isRequired: true)]
                + ["first_name", "last_name", "birthdate", "gender"].map { Column(name: $0, type: "text") } + [
                    createdAt
                ]
        case .devices:
            columns =
                [id, Column(name: "unique_id", type: "text", isRequired: true)]
                + ["real_user_id", "project_id", "hardware_id", "now_firmware_id"].map {
                    Column(name: $0, type: "bigint")
                }
                + ["serial_code", "mac_id", "device_alias"].map { Column(name: $0, type: "text") }
                + [
                    createdAt, Column(name: "connected_at", type: "timestamptz"),
                    Column(name: "last_log_file_id", type: "bigint", otherwise: "0"),
                ]
        }
    }

    /// Loads a file.
    ///
    /// - Returns: the number of rows.
    /// - Throws: ``Fault`` for the first bad row, `PostgresError`.
    func load(_ bytes: [UInt8], into session: PostgresSession) throws -> Int {
        let records = try Self.records(in: bytes)
        guard let header = records.first else { throw Fault(line: 1, reason: "a header line is missing") }
        let columns = try columns(of: header)
        for record in records where record.fields.count != columns.count {
            throw Fault(
                line: record.line,
                reason: "\(record.fields.count) fields where the header line has \(columns.count)")
        }
        let rows = Array(records.dropFirst())
        try insert(rows, columns, into: session)
        return rows.count
    }

    private static func records(in bytes: [UInt8]) throws -> [CSVReader.Record] {
        var reader = CSVReader(bytes)
        var records: [CSVReader.Record] = []
        do {
            while let record = try reader.next() { records.append(record) }
        } catch {
            throw Fault(line: error.line, reason: error.reason)
        }
        return records
    }

    private func columns(of header: CSVReader.Record) throws(Fault) -> [Column] {
        var found: [Column] = []
        for name in header.fields {
            guard let column = columns.first(where: { $0.name == name }) else {
                throw Fault(line: 1, column: name, reason: "there is no such column")
            }
            guard !found.contains(where: { $0.name == name }) else {
                throw Fault(line: 1, column: name, reason: "stands there twice")
            }
            found.append(column)
        }
        for column in columns where column.isRequired && !found.contains(where: { $0.name == column.name }) {
            throw Fault(line: 1, column: column.name, reason: "is required")
        }
        return found
    }

    private func insert(_ records: [CSVReader.Record], _ columns: [Column], into session: PostgresSession) throws {
        let values = columns.enumerated().map { index, column in
            let value = "$\(index + 1)::\(column.type)"
            return column.otherwise.map { "coalesce(\(value), \($0))" } ?? value
        }
        let statement =
            "insert into \(kind.table) (\(columns.map(\.name).joined(separator: ", ")))"
            + " values (\(values.joined(separator: ", ")))"
        try session.transaction {
            try advanceSequence(beyond: records, columns, in: session)
            for record in records {
                let parameters = try parameters(of: record, columns)
                do {
                    try session.query(statement, parameters)
                } catch let error as PostgresError where error.kind == .server && !error.isUnavailable {
                    try session.execute(script: "rollback")
                    throw try fault(error, record, columns, parameters, session)
                }
            }
        }
    }

    /// Rows without an id get one above all that the file and the table have.
    private func advanceSequence(
        beyond records: [CSVReader.Record], _ columns: [Column], in session: PostgresSession
    ) throws {
        guard let index = columns.firstIndex(where: { $0.name == "id" }) else { return }
        let highest = records.compactMap { Int64($0.fields[index]) }.max() ?? 0
        guard highest > 0 else { return }
        try session.query(
            """
            select setval(pg_get_serial_sequence('\(kind.table)', 'id'),
                          greatest($1::bigint, (select coalesce(max(id), 0) from \(kind.table))))
            """, [String(highest)])
    }

    private func parameters(of record: CSVReader.Record, _ columns: [Column]) throws(Fault) -> [String?] {
        var parameters: [String?] = []
        for (column, field) in zip(columns, record.fields) {
            if field.isEmpty {
                guard !column.isRequired else {
                    throw Fault(line: record.line, column: column.name, reason: "is required")
                }
                parameters.append(nil)
            } else if column.name == "phone_number" {
                guard let number = PhoneNumber(field) else {
                    throw Fault(line: record.line, column: column.name, reason: "must be a phone number")
                }
                parameters.append(number.e164)
            } else {
                parameters.append(field)
            }
        }
        return parameters
    }

    /// Names the column that the database refused: it tells it for a constraint; for a value that is none of its type each
    /// is tried alone.
    private func fault(
        _ error: PostgresError, _ record: CSVReader.Record, _ columns: [Column], _ parameters: [String?],
        _ session: PostgresSession
    ) throws -> Fault {
        if let constraint = error.constraint {
            let name = columns.map(\.name).first { constraint.hasPrefix("\(kind.table)_\($0)_") }
            let reason =
                switch error.sqlState {
                case "23505": "is there already"
                case "23503": "names a row that does not exist"
                default: "violates \(constraint)"
                }
            return Fault(
                line: record.line, column: name ?? (constraint.hasSuffix("_pkey") ? "id" : nil), reason: reason)
        }
        for (column, value) in zip(columns, parameters) {
            guard (try? session.query("select $1::\(column.type)", [value])) != nil else {
                return Fault(line: record.line, column: column.name, reason: "must be a \(column.type)")
            }
        }
        return Fault(line: record.line, reason: error.description)
    }
}
