import Bytes

/// Header fields in the order in which they were sent, duplicates kept; names are compared without case (RFC 9110
/// section 5.1).
///
/// The lines are kept as one array of bytes as they are on the wire, with the places of names and values in it. Nothing is
/// copied from it except the values that are looked up.
package struct HTTPHeaders: Sendable {
    private struct Field: Sendable {
        var known: HTTPField?
        var name: Range<UInt32>
        var value: Range<UInt32>
    }

    /// Lines that end in CRLF.
    private(set) var bytes: [UInt8] = []
    private var entries: [Field] = []
    /// A bit for each known field that occurs.
    private var present: UInt32 = 0

    package init() {}

    // MARK: Parsing

    /// Takes the lines of a header section, without their ends in `lines`, which begin at `offset` in a larger buffer.
    ///
    /// - Parameter section: the bytes of all lines with their ends.
    /// - Throws: ``HTTPParseError`` at the first malformed line; the fields before it are kept.
    mutating func parse(
        _ section: ArraySlice<UInt8>, lines: ArraySlice<Range<Int>>
    ) throws(HTTPParseError) {
        bytes = Array(section)
        entries.reserveCapacity(lines.count)
        let start = section.startIndex
        for line in lines { try parseLine(line.lowerBound - start, line.upperBound - start) }
    }

    /// - Throws: ``HTTPParseError`` when a line is not a field.
    static func check(_ line: ArraySlice<UInt8>) throws(HTTPParseError) {
        var headers = HTTPHeaders()
        try headers.parse(line, lines: [line.startIndex..<line.endIndex])
    }

    /// A field line (RFC 9112 section 5): no white space before the colon and no line folding.
    private mutating func parseLine(_ start: Int, _ end: Int) throws(HTTPParseError) {
        let field: Result<Field, HTTPParseError> = bytes.withUnsafeBytes { bytes in
            var colon = start
            while colon < end, ByteClasses.isToken(bytes[colon]) { colon += 1 }
            guard colon > start, colon < end, bytes[colon] == UInt8(ascii: ":") else {
                return .failure(.malformed("a header field without a proper name"))
            }
            var first = colon + 1
            var last = end
            while first < last, bytes[first] == 0x20 || bytes[first] == 0x09 { first += 1 }
            while last > first, bytes[last - 1] == 0x20 || bytes[last - 1] == 0x09 { last -= 1 }
            for index in first..<last where !ByteClasses.isFieldValue(bytes[index]) {
                return .failure(.malformed("a control character in a field"))
            }
            let name = UnsafeRawBufferPointer(rebasing: bytes[start..<colon])
            return .success(
                Field(
                    known: HTTPField(name), name: UInt32(start)..<UInt32(colon), value: UInt32(first)..<UInt32(last)))
        }
        append(try field.get())
    }

    private mutating func append(_ field: Field) {
        if let known = field.known { present |= 1 << UInt32(known.rawValue) }
        entries.append(field)
    }

    // MARK: Looking up

    /// Whether a field occurs.
    package func contains(_ field: HTTPField) -> Bool {
        present & (1 << UInt32(field.rawValue)) != 0
    }

    /// The values of all fields of a name, in order.
    package func values(for field: HTTPField) -> [String] {
        guard contains(field) else { return [] }
        return entries.filter { $0.known == field }.map { text($0.value) }
    }

    /// The bytes of the only field of a name; `nil` when there is none, or several.
    package func onlyValue(of field: HTTPField) -> ArraySlice<UInt8>? {
        guard contains(field) else { return nil }
        var found: Field?
        for entry in entries where entry.known == field {
            guard found == nil else { return nil }
            found = entry
        }
        return found.map { bytes[Int($0.value.lowerBound)..<Int($0.value.upperBound)] }
    }

    /// The values of all fields of a name, in order.
    package func values(for name: String) -> [String] {
        entries.filter { isNamed($0, name) }.map { text($0.value) }
    }

    /// The value of the first field of a name.
    package func first(_ name: String) -> String? {
        entries.first { isNamed($0, name) }.map { text($0.value) }
    }

    /// All fields: names as they were written, values without white space around them.
    package var fields: [(name: String, value: String)] {
        entries.map { (text($0.name), text($0.value)) }
    }

    private func text(_ range: Range<UInt32>) -> String {
        String(decoding: bytes[Int(range.lowerBound)..<Int(range.upperBound)], as: UTF8.self)
    }

    private func isNamed(_ field: Field, _ name: String) -> Bool {
        var name = name
        return bytes.withUnsafeBytes { bytes in
            name.withUTF8 { name in
                isSameName(
                    UnsafeRawBufferPointer(rebasing: bytes[Int(field.name.lowerBound)..<Int(field.name.upperBound)]),
                    UnsafeRawBufferPointer(name))
            }
        }
    }

    // MARK: Writing

    /// Adds a field after the others.
    ///
    /// A value that contains CR, LF or NUL would end the field early and could begin a response that an attacker has written;
    /// these become spaces (RFC 9110 section 5.5).
    package mutating func add(_ name: String, _ value: String) {
        var name = name
        name.withUTF8 { append(UnsafeRawBufferPointer($0), value) }
    }

    /// Adds a field after the others.
    package mutating func add(_ field: HTTPField, _ value: String) {
        append(UnsafeRawBufferPointer(field.name), value, known: field)
    }

    /// Replaces all fields of a name by one.
    package mutating func set(_ field: HTTPField, _ value: String) {
        if contains(field) {
            let others = entries.filter { $0.known != field }.map { (text($0.name), text($0.value)) }
            self = HTTPHeaders()
            for (name, value) in others { add(name, value) }
        }
        add(field, value)
    }

    private mutating func append(_ name: UnsafeRawBufferPointer, _ value: String, known: HTTPField? = nil) {
        if bytes.isEmpty {
            bytes.reserveCapacity(256)
            entries.reserveCapacity(6)
        }
        let start = UInt32(bytes.count)
        bytes.append(contentsOf: name)
        let end = UInt32(bytes.count)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(UInt8(ascii: " "))
        var value = value
        value.withUTF8 { bytes.append(contentsOf: $0) }
        for index in (Int(end) + 2)..<bytes.count where bytes[index] <= 0x0D {
            let byte = bytes[index]
            if byte == 0x0D || byte == 0x0A || byte == 0 { bytes[index] = UInt8(ascii: " ") }
        }
        append(Field(known: known ?? HTTPField(name), name: start..<end, value: (end + 2)..<UInt32(bytes.count)))
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    // MARK: Lists

    /// The members of a list that is spread over the fields of a name (RFC 9110 section 5.6.1), in lower case.
    func tokens(_ field: HTTPField) -> [String] {
        guard contains(field) else { return [] }
        return values(for: field).flatMap { Self.members($0) }.filter { !$0.isEmpty }
    }

    /// The members of the list in one field value, in lower case; empty ones too.
    static func members(_ value: String) -> [String] {
        value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { member in
            let start = member.drop { $0 == 0x20 || $0 == 0x09 }
            let end = start.reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()
            return String(decoding: end.map(\.lowercased), as: UTF8.self)
        }
    }

    /// ASCII letters in lower case and nothing else changed: Unicode has a letter beside `k` whose lower case is `k`.
    static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.map(\.lowercased), as: UTF8.self)
    }
}
