/// Header fields in the order in which they were sent, duplicates kept; names are compared without case (RFC 9110
/// section 5.1).
package struct HTTPHeaders: Sendable {
    /// The fields: names as they were written, values without white space around them.
    package private(set) var fields: [(name: String, value: String)] = []

    /// No fields.
    package init() {}

    /// The values of all fields of a name, in order.
    package func values(for name: String) -> [String] {
        fields.filter { Self.areSame($0.name, name) }.map(\.value)
    }

    /// The value of the first field of a name.
    package func first(_ name: String) -> String? {
        fields.first { Self.areSame($0.name, name) }?.value
    }

    /// Adds a field behind those that are there.
    package mutating func add(_ name: String, _ value: String) {
        fields.append((name, value))
    }

    /// Replaces all fields of a name by one.
    package mutating func set(_ name: String, _ value: String) {
        fields.removeAll { Self.areSame($0.name, name) }
        fields.append((name, value))
    }

    /// The members of a list that is spread over the fields of a name (RFC 9110 section 5.6.1), in lower case.
    func tokens(_ name: String) -> [String] {
        values(for: name).flatMap { Self.members($0) }.filter { !$0.isEmpty }
    }

    /// The members of the list in one field value, in lower case; empty ones too.
    static func members(_ value: String) -> [String] {
        value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { member in
            let start = member.drop { $0 == 0x20 || $0 == 0x09 }
            let end = start.reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()
            return String(decoding: end.map { lowercased($0) }, as: UTF8.self)
        }
    }

    /// ASCII letters in lower case and nothing else changed: Unicode has a letter beside `k` whose lower case is `k`.
    static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.map { lowercased($0) }, as: UTF8.self)
    }

    private static func areSame(_ one: String, _ other: String) -> Bool {
        let one = one.utf8
        let other = other.utf8
        return one.count == other.count && zip(one, other).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
