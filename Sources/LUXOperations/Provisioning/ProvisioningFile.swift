import Bytes
import LUX
import LUXStore
import Postgres

/// Turns a CSV file into rows for `COPY`, piece by piece, and collects its errors. Memory does not grow with the file. Owned
/// by its command and used on its thread.
package struct ProvisioningFile {
    /// The columns that the file has, in its order.
    package let columns: [ProvisioningColumn]
    /// The errors of rows that were read; the rows themselves are left out.
    package private(set) var errors: [ProvisioningError] = []
    /// What is likely to be a mistake; the first ones.
    package private(set) var warnings: [ProvisioningError] = []
    /// How many rows were read.
    package private(set) var rows = 0

    private let kind: ProvisioningKind
    /// In bytes; `nil` for a pipe.
    private let size: Int?
    private var reader: CSVReader

    /// How much is passed on in one piece, in bytes: many rows, and little of a large file.
    private static let pieceSize = 65_536

    /// Reads the header line.
    ///
    /// - Throws: `ProvisioningErrors`: without its columns the rest cannot be checked.
    package init(_ input: ProvisioningInput, _ kind: ProvisioningKind) throws(ProvisioningErrors) {
        self.kind = kind
        size = input.size
        reader = CSVReader(input.next)
        if reader.beginsAsUTF16() {
            let reason = "the file is UTF-16; save it as CSV UTF-8"
            throw ProvisioningErrors([ProvisioningError(line: 1, reason: reason)])
        }
        let header: CSVReader.Record?
        do throws(CSVReader.SyntaxError) {
            header = try reader.next()
        } catch {
            throw ProvisioningErrors([ProvisioningError(line: error.line, reason: error.reason)])
        }
        if let header, header.fields.count == 1, header.fields[0].contains(";") {
            let reason = "the fields are separated by semicolons; save the file with commas (CSV UTF-8)"
            throw ProvisioningErrors([ProvisioningError(line: 1, reason: reason)])
        }
        guard let header else {
            throw ProvisioningErrors([ProvisioningError(line: 1, reason: "a header line is missing")])
        }
        (columns, errors) = Self.columns(of: header, kind)
        guard errors.isEmpty else { throw ProvisioningErrors(errors) }
    }

    private static func columns(
        of header: CSVReader.Record, _ kind: ProvisioningKind
    ) -> ([ProvisioningColumn], [ProvisioningError]) {
        var found: [ProvisioningColumn] = []
        var errors: [ProvisioningError] = []
        for name in header.fields {
            guard let column = kind.columns.first(where: { $0.name == name }) else {
                errors.append(ProvisioningError(line: 1, column: name, reason: "there is no such column"))
                continue
            }
            if found.contains(column) {
                errors.append(ProvisioningError(line: 1, column: name, reason: "duplicate column"))
            }
            found.append(column)
        }
        for column in kind.columns where column.isRequired && !found.contains(column) {
            errors.append(ProvisioningError(line: 1, column: column.name, reason: "is required"))
        }
        return (found, errors)
    }

    /// How much of the file was read, from 0 to 1.
    package var progress: Double { size.map { Double(reader.offset) / Double(max(1, $0)) } ?? 0 }

    /// The next rows in the text format of `COPY`, each with its line first; `nil` at the end, or after too many errors.
    package mutating func nextPiece() -> [UInt8]? {
        var piece: [UInt8] = []
        while piece.count < Self.pieceSize, errors.count <= ProvisioningErrors.limit {
            let record: CSVReader.Record?
            do throws(CSVReader.SyntaxError) {
                record = try reader.next()
            } catch {
                // Where the next record begins is unknown.
                errors.append(ProvisioningError(line: error.line, reason: error.reason))
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
            errors.append(ProvisioningError(line: record.line, reason: reason))
            return nil
        }
        let before = errors.count
        var values: [String?] = []
        for (column, field) in zip(columns, record.fields) {
            do throws(InvalidField) {
                values.append(try Self.value(field, of: column))
                if warnings.count < ProvisioningErrors.limit, !field.isEmpty,
                    let reason = CodeRules.warning(in: field, of: column.name)
                {
                    warnings.append(ProvisioningError(line: record.line, column: column.name, reason: reason))
                }
            } catch {
                errors.append(
                    ProvisioningError(line: record.line, column: column.name, reason: error.reason))
            }
        }
        if errors.count == before, !hasIdentity(values) {
            errors.append(
                ProvisioningError(
                    line: record.line, column: kind.key,
                    reason:
                        "is required in a row without an id, which would not be distinguishable from others"))
        }
        return errors.count == before ? values : nil
    }

    private struct InvalidField: Error {
        package var reason: String
    }

    private static func value(_ field: String, of column: ProvisioningColumn) throws(InvalidField)
        -> String?
    {
        guard !field.isEmpty else {
            guard !column.isRequired else { throw InvalidField(reason: "is required") }
            return nil
        }
        switch column.content {
        case .text, .timestamp: return field
        case .code:
            if let reason = CodeRules.error(in: field, of: column.name) {
                throw InvalidField(reason: reason)
            }
            return field
        case .phoneNumber:
            guard let number = PhoneNumber(field) else {
                throw InvalidField(reason: "must be a phone number")
            }
            return number.e164
        case .integer(let minimum):
            guard let number = Int64(field.trimmingWhitespace()) else {
                throw InvalidField(reason: "must be a bigint")
            }
            guard number >= minimum else { throw InvalidField(reason: "must be \(minimum) or more") }
            return String(number)
        }
    }

    /// Whether a row can be found again when the same file is loaded another time.
    private func hasIdentity(_ values: [String?]) -> Bool {
        zip(columns, values).contains { ($0.name == "id" || $0.name == kind.key) && $1 != nil }
    }
}
