import Bytes

/// The statements of an SQL text, as far as a migrator has to know them: where each ends and what its first word is.
///
/// Strings, quoted identifiers, dollar-quoted bodies and comments are skipped (PostgreSQL manual, "Lexical Structure").
struct SQLScript {
    /// Each statement without its semicolon and without leading comments.
    private(set) var statements: [String] = []

    private let text: [UInt8]
    private var index = 0

    init(_ sql: String) {
        text = Array(sql.utf8)
        var statement: [UInt8] = []
        while index < text.count {
            let start = index
            if skipComment() {
                statement.append(UInt8(ascii: " "))
                continue
            }
            if text[index] == UInt8(ascii: ";") {
                index += 1
                finish(&statement)
                continue
            }
            if !skipQuoted() { index += 1 }
            statement.append(contentsOf: text[start..<index])
        }
        finish(&statement)
    }

    /// The first word of a statement, in lower case.
    static func firstWord(of statement: String) -> String {
        String(statement.prefix { $0.isASCII && $0.isLetter }).lowercased()
    }

    private mutating func finish(_ statement: inout [UInt8]) {
        let trimmed = String(decoding: statement.drop { $0 <= 0x20 }, as: UTF8.self)
        if !trimmed.isEmpty { statements.append(trimmed) }
        statement = []
    }

    private mutating func skipComment() -> Bool {
        if text[index...].starts(with: "--".utf8) {
            while index < text.count, text[index] != 0x0A { index += 1 }
            return true
        }
        guard text[index...].starts(with: "/*".utf8) else { return false }
        var depth = 0
        repeat {
            if text[index...].starts(with: "/*".utf8) {
                depth += 1
                index += 2
            } else if text[index...].starts(with: "*/".utf8) {
                depth -= 1
                index += 2
            } else {
                index += 1
            }
        } while depth > 0 && index < text.count
        return true
    }

    private mutating func skipQuoted() -> Bool {
        switch text[index] {
        case UInt8(ascii: "'"):
            let isEscaping = index > 0 && (text[index - 1] | 0x20) == UInt8(ascii: "e")
            skip(to: UInt8(ascii: "'"), backslashEscapes: isEscaping)
        case UInt8(ascii: "\""): skip(to: UInt8(ascii: "\""), backslashEscapes: false)
        case UInt8(ascii: "$"): return skipDollarQuoted()
        default: return false
        }
        return true
    }

    /// A doubled quote ends one string and begins the next, which comes to the same.
    private mutating func skip(to quote: UInt8, backslashEscapes: Bool) {
        index += 1
        while index < text.count, text[index] != quote {
            index += backslashEscapes && text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        index = min(index + 1, text.count)
    }

    private mutating func skipDollarQuoted() -> Bool {
        let tag = text[(index + 1)...].prefix { $0 == 0x5F || $0 >= 0x80 || $0.isAlphanumeric }
        guard tag.endIndex < text.count, text[tag.endIndex] == UInt8(ascii: "$"),
            tag.first.map({ !$0.isDigit }) ?? true
        else { return false }
        let delimiter = text[index...tag.endIndex]
        index = tag.endIndex + 1
        while index < text.count, !text[index...].starts(with: delimiter) { index += 1 }
        index = min(index + delimiter.count, text.count)
        return true
    }
}
