/// Writes comma-separated values as RFC 4180 has them. Never throws.
package enum CSVWriter {
    /// The UTF-8 byte order mark, by which spreadsheets recognise the encoding.
    package static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Appends a record and the end of its line. `nil` is nothing at all, an empty text two quotation marks.
    ///
    /// - Parameter isSpreadsheetSafe: whether a cell that a spreadsheet would run as a formula gets an apostrophe in front.
    package static func append(
        record fields: [String?], to bytes: inout [UInt8], isSpreadsheetSafe: Bool = false
    ) {
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            guard let field else { continue }
            append(isSpreadsheetSafe && startsFormula(field) ? "'" + field : field, to: &bytes)
        }
        bytes.append(contentsOf: "\r\n".utf8)
    }

    /// A record by itself.
    package static func record(_ fields: [String?]) -> [UInt8] {
        var bytes: [UInt8] = []
        append(record: fields, to: &bytes)
        return bytes
    }

    private static func startsFormula(_ field: String) -> Bool {
        field.utf8.first.map { "=+-@\t\r".utf8.contains($0) } ?? false
    }

    private static func append(_ field: String, to bytes: inout [UInt8]) {
        let special: [UInt8] = [0x22, 0x2C, 0x0A, 0x0D]
        guard field.isEmpty || field.utf8.contains(where: special.contains) else {
            bytes.append(contentsOf: field.utf8)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        for byte in field.utf8 {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
