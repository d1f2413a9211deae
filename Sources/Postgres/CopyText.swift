/// The text format of `COPY … FROM STDIN` (PostgreSQL manual, COPY, "Text Format").
package enum CopyText {
    /// Appends a row; `nil` is NULL.
    package static func append(row fields: [String?], to bytes: inout [UInt8]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\t")) }
            if let field { append(field, to: &bytes) } else { bytes.append(contentsOf: "\\N".utf8) }
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func append(_ field: String, to bytes: inout [UInt8]) {
        for byte in field.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
            default: bytes.append(byte)
            }
        }
    }
}
