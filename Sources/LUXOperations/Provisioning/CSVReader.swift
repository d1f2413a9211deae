/// Reads comma-separated values strictly as RFC 4180 has them; line feeds alone end lines too.
package struct CSVReader {
    /// A line that is not RFC 4180.
    package struct Fault: Error, Equatable {
        package var line: Int
        package var reason: String
    }

    /// A record and the line that it begins on, counted from 1.
    package struct Record: Equatable {
        package var line: Int
        package var fields: [String]
    }

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1

    package init(_ bytes: [UInt8]) {
        // Spreadsheets write a byte order mark.
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// How many bytes were read.
    package var offset: Int { index }

    /// Leaves the rest unread.
    package mutating func end() {
        index = bytes.count
    }

    /// The next record; `nil` at the end.
    package mutating func next() throws(Fault) -> Record? {
        guard index < bytes.count else { return nil }
        var record = Record(line: line, fields: [])
        while true {
            record.fields.append(try field())
            guard index < bytes.count else { return record }
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: ",") { continue }
            if byte == UInt8(ascii: "\r") {
                guard index < bytes.count, bytes[index] == UInt8(ascii: "\n") else {
                    throw Fault(line: line, reason: "a carriage return without a line feed")
                }
                index += 1
            }
            line += 1
            return record
        }
    }

    private mutating func field() throws(Fault) -> String {
        let first = line
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return try text(plainField()) }
        index += 1
        var content: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == UInt8(ascii: "\"") else {
                content.append(byte)
                continue
            }
            if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
                content.append(byte)
                index += 1
                continue
            }
            guard index == bytes.count || Self.endsField(bytes[index]) else {
                throw Fault(line: line, reason: "something behind a closing quotation mark")
            }
            return try text(content)
        }
        throw Fault(line: first, reason: "a quotation mark that is not closed")
    }

    private mutating func plainField() throws(Fault) -> [UInt8] {
        let start = index
        while index < bytes.count, !Self.endsField(bytes[index]) {
            guard bytes[index] != UInt8(ascii: "\"") else {
                throw Fault(line: line, reason: "a quotation mark inside a field that does not begin with one")
            }
            index += 1
        }
        return Array(bytes[start..<index])
    }

    private func text(_ content: [UInt8]) throws(Fault) -> String {
        guard let text = String(validating: content, as: UTF8.self), !content.contains(0) else {
            throw Fault(
                line: line,
                reason: "a field that is not UTF-8 text (CP949 or another encoding?); save the file as CSV UTF-8")
        }
        return text
    }

    private static func endsField(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
}
