/// Reads comma-separated values strictly as RFC 4180 has them, piece by piece; line feeds alone end lines too. A value with one owner.
package struct CSVReader {
    /// A line that is not RFC 4180, or that cannot be read.
    package struct SyntaxError: Error, Equatable {
        package var line: Int
        package var reason: String
    }

    /// A record and the line that it begins on, counted from 1.
    package struct Record: Equatable {
        package var line: Int
        package var fields: [String]
    }

    /// More is a quotation mark that is not closed, and would fill the memory.
    static let longestField = 1_048_576

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let source: () throws -> [UInt8]
    private var buffer: [UInt8] = []
    private var index = 0
    /// How many bytes preceded the buffer.
    private var passed = 0
    private var line = 1
    private var hasEnded = false
    private var failure: String?

    /// - Parameter source: returns the next bytes; none at the end.
    package init(_ source: @escaping () throws -> [UInt8]) {
        self.source = source
        // A pipe may return a byte at a time.
        while buffer.count < Self.byteOrderMark.count, !hasEnded { refill(keeping: true) }
        // Spreadsheets write a byte order mark.
        if buffer.starts(with: Self.byteOrderMark) { index = Self.byteOrderMark.count }
    }

    package init(_ bytes: [UInt8]) {
        var rest = bytes
        self.init {
            defer { rest = [] }
            return rest
        }
    }

    /// How many bytes were read.
    package var offset: Int { passed + index }

    /// Whether the file begins with a byte order mark of UTF-16.
    package func beginsAsUTF16() -> Bool {
        buffer.starts(with: [0xFF, 0xFE]) || buffer.starts(with: [0xFE, 0xFF])
    }

    /// Leaves the rest unread.
    package mutating func end() {
        index = buffer.count
        hasEnded = true
    }

    private mutating func refill(keeping: Bool = false) {
        if !keeping {
            passed += buffer.count
            buffer = []
            index = 0
        }
        do {
            let piece = try source()
            hasEnded = piece.isEmpty
            buffer.append(contentsOf: piece)
        } catch {
            hasEnded = true
            failure = "\(error)"
        }
    }

    /// The byte at the index; `nil` at the end.
    private mutating func peek() throws(SyntaxError) -> UInt8? {
        if index == buffer.count, !hasEnded { refill() }
        if index < buffer.count { return buffer[index] }
        if let failure { throw SyntaxError(line: line, reason: "cannot be read: \(failure)") }
        return nil
    }

    /// The next record; `nil` at the end.
    package mutating func next() throws(SyntaxError) -> Record? {
        guard try peek() != nil else { return nil }
        var record = Record(line: line, fields: [])
        while true {
            record.fields.append(try field())
            guard let byte = try peek() else { return record }
            index += 1
            if byte == UInt8(ascii: ",") { continue }
            if byte == UInt8(ascii: "\r") {
                guard try peek() == UInt8(ascii: "\n") else {
                    throw SyntaxError(line: line, reason: "a carriage return without a line feed")
                }
                index += 1
            }
            line += 1
            return record
        }
    }

    private mutating func field() throws(SyntaxError) -> String {
        guard try peek() == UInt8(ascii: "\"") else { return try text(plainField()) }
        let first = line
        index += 1
        var content: [UInt8] = []
        while let byte = try peek() {
            index += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            if byte == UInt8(ascii: "\"") {
                let next = try peek()
                guard next == UInt8(ascii: "\"") else {
                    guard next.map(Self.endsField) ?? true else {
                        throw SyntaxError(line: line, reason: "characters after a closing quotation mark")
                    }
                    return try text(content)
                }
                index += 1
            }
            content.append(byte)
            guard content.count <= Self.longestField else { break }
        }
        throw SyntaxError(line: first, reason: "a quotation mark that is not closed")
    }

    private mutating func plainField() throws(SyntaxError) -> [UInt8] {
        var content: [UInt8] = []
        while try peek() != nil {
            let start = index
            while index < buffer.count, !Self.endsField(buffer[index]) {
                guard buffer[index] != UInt8(ascii: "\"") else {
                    throw SyntaxError(
                        line: line, reason: "a quotation mark inside a field that does not begin with one")
                }
                index += 1
            }
            content.append(contentsOf: buffer[start..<index])
            guard content.count <= Self.longestField else {
                throw SyntaxError(line: line, reason: "a field of more than \(Self.longestField) bytes")
            }
            // Else the field continues in the next piece.
            if index < buffer.count { break }
        }
        return content
    }

    private func text(_ content: [UInt8]) throws(SyntaxError) -> String {
        guard let text = String(validating: content, as: UTF8.self), !content.contains(0) else {
            throw SyntaxError(
                line: line,
                reason:
                    "a field that is not UTF-8 text (CP949 or another encoding?); save the file as CSV UTF-8")
        }
        return text
    }

    private static func endsField(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
}
