import Foundation
import LUX
import Postgres

/// Turns a CSV file into rows for `COPY`, piece by piece, and gathers what is wrong with it on the way.
package struct ProvisioningFile {
    /// The columns that the file has, in its order.
    package let columns: [Provisioning.Column]
    /// What is wrong with rows that were read; the rows themselves are left out.
    package private(set) var faults: [Provisioning.Fault] = []
    /// What is likely to be a mistake; the first ones.
    package private(set) var warnings: [Provisioning.Fault] = []
    /// How many rows were read.
    package private(set) var rows = 0

    private let kind: Provisioning.Kind
    private let size: Int
    private var reader: CSVReader

    /// How much is handed over at once, in bytes: many rows, and little of a large file.
    private static let pieceSize = 65_536

    /// Reads the header line.
    ///
    /// - Throws: `Provisioning.Faults`: without its columns nothing can be said of the rest.
    package init(_ bytes: [UInt8], _ kind: Provisioning.Kind) throws(Provisioning.Faults) {
        self.kind = kind
        size = max(1, bytes.count)
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            let reason = "the file is UTF-16; save it as CSV UTF-8"
            throw Provisioning.Faults([Provisioning.Fault(line: 1, reason: reason)])
        }
        reader = CSVReader(bytes)
        let header: CSVReader.Record?
        do throws(CSVReader.Fault) {
            header = try reader.next()
        } catch {
            throw Provisioning.Faults([Provisioning.Fault(line: error.line, reason: error.reason)])
        }
        if let header, header.fields.count == 1, header.fields[0].contains(";") {
            let reason = "the fields are separated by semicolons; save the file with commas (CSV UTF-8)"
            throw Provisioning.Faults([Provisioning.Fault(line: 1, reason: reason)])
        }
        guard let header else {
            throw Provisioning.Faults([Provisioning.Fault(line: 1, reason: "a header line is missing")])
        }
        (columns, faults) = Self.columns(of: header, kind)
        guard faults.isEmpty else { throw Provisioning.Faults(faults) }
    }

    private static func columns(
        of header: CSVReader.Record, _ kind: Provisioning.Kind
    ) -> ([Provisioning.Column], [Provisioning.Fault]) {
        var found: [Provisioning.Column] = []
        var faults: [Provisioning.Fault] = []
        for name in header.fields {
            guard let column = kind.columns.first(where: { $0.name == name }) else {
                faults.append(Provisioning.Fault(line: 1, column: name, reason: "there is no such column"))
                continue
            }
            if found.contains(column) {
                faults.append(Provisioning.Fault(line: 1, column: name, reason: "duplicate column"))
            }
            found.append(column)
        }
        for column in kind.columns where column.isRequired && !found.contains(column) {
            faults.append(Provisioning.Fault(line: 1, column: column.name, reason: "is required"))
        }
        return (found, faults)
    }

    /// How much of the file was read, from 0 to 1.
    package var progress: Double { Double(reader.offset) / Double(size) }

    /// The next rows in the text format of `COPY`, each with its line first; `nil` at the end, or where it makes no sense
    /// to read on.
    package mutating func nextPiece() -> [UInt8]? {
        var piece: [UInt8] = []
        while piece.count < Self.pieceSize, faults.count <= Provisioning.Faults.limit {
            let record: CSVReader.Record?
            do throws(CSVReader.Fault) {
                record = try reader.next()
            } catch {
                // Where the next record begins is anybody's guess.
                faults.append(Provisioning.Fault(line: error.line, reason: error.reason))
                reader.end()
                break
            }
            guard let record else { break }
            rows += 1
            if let values = values(of: record) {
                CopyText.append(row: [String(record.line)] + values, to: &piece)
            }
        }
        return piece.isEmpty ? nil : piece
    }

    private mutating func values(of record: CSVReader.Record) -> [String?]? {
        guard record.fields.count == columns.count else {
            let reason = "\(record.fields.count) fields where the header line has \(columns.count)"
            faults.append(Provisioning.Fault(line: record.line, reason: reason))
            return nil
        }
        let before = faults.count
        var values: [String?] = []
        for (column, field) in zip(columns, record.fields) {
            do throws(FieldError) {
                values.append(try Self.value(field, of: column))
                if warnings.count < Provisioning.Faults.limit, !field.isEmpty,
                    let reason = CodeRules.warning(in: field, of: column.name)
                {
                    warnings.append(Provisioning.Fault(line: record.line, column: column.name, reason: reason))
                }
            } catch {
                faults.append(Provisioning.Fault(line: record.line, column: column.name, reason: error.reason))
            }
        }
        if faults.count == before, !hasIdentity(values) {
            faults.append(
                Provisioning.Fault(
                    line: record.line, column: kind.key,
                    reason: "is required in a row without an id, which would not be distinguishable from others"))
        }
        return faults.count == before ? values : nil
    }

    private struct FieldError: Error {
        package var reason: String
    }

    private static func value(_ field: String, of column: Provisioning.Column) throws(FieldError) -> String? {
        guard !field.isEmpty else {
            guard !column.isRequired else { throw FieldError(reason: "is required") }
            return nil
        }
        switch column.content {
        case .text, .timestamp: return field
        case .code:
            if let reason = CodeRules.error(in: field, of: column.name) { throw FieldError(reason: reason) }
            return field
        case .phoneNumber:
            guard let number = PhoneNumber(field) else { throw FieldError(reason: "must be a phone number") }
            return number.e164
        case .integer(let minimum):
            guard let number = Int64(field.trimmingCharacters(in: .whitespaces)) else {
                throw FieldError(reason: "must be a bigint")
            }
            guard number >= minimum else { throw FieldError(reason: "must be \(minimum) or more") }
            return String(number)
        }
    }

    /// Whether a row can be found again when the same file is loaded another time.
    private func hasIdentity(_ values: [String?]) -> Bool {
        zip(columns, values).contains { ($0.name == "id" || $0.name == kind.key) && $1 != nil }
    }
}
