/// Header fields in the order in which they were sent, duplicates kept; names are compared without case (RFC 9110
/// section 5.1).
public struct HTTPHeaders: Sendable {
    /// The fields: names as they were written, values without white space around them.
    public private(set) var fields: [(name: String, value: String)] = []

    /// No fields.
    public init() {}

    /// The values of all fields of a name, in order.
    public func values(for name: String) -> [String] {
        fields.filter { Self.areSame($0.name, name) }.map(\.value)
    }

    /// The value of the first field of a name.
    public func first(_ name: String) -> String? {
        fields.first { Self.areSame($0.name, name) }?.value
    }

    /// Adds a field behind those that are there.
    public mutating func add(_ name: String, _ value: String) {
        fields.append((name, value))
    }

    /// Replaces all fields of a name by one.
    public mutating func set(_ name: String, _ value: String) {
        fields.removeAll { Self.areSame($0.name, name) }
        fields.append((name, value))
    }

    /// The members of a list that is spread over the fields of a name (RFC 9110 section 5.6.1), in lower case.
    func tokens(_ name: String) -> [String] {
        values(for: name).flatMap { value in
            value.split(separator: ",").map { member in
                let start = member.drop { $0 == " " || $0 == "\t" }
                let end = start.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
                return String(end).lowercased()
            }
        }.filter { !$0.isEmpty }
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
