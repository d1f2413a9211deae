import Bytes
import JSON

/// A claim value of a supported type.
enum ClaimValue {
    case string(String)
    /// Any number, exact where it is an integer that fits.
    case number(Double, exact: Int64?)
    /// The strings of an array of nothing but strings.
    case strings([String])
    case null
    case other

    /// The string, if it is one.
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// Whether it is this string, or an array that contains it. Strings are compared code point by code point (RFC 7515
    /// section 5.3), which Swift's own comparison does not do.
    func matches(_ text: String, orOneOfSeveral isList: Bool) -> Bool {
        switch self {
        case .string(let value): value.utf8.elementsEqual(text.utf8)
        case .strings(let values): isList && values.contains { $0.utf8.elementsEqual(text.utf8) }
        case .number, .null, .other: false
        }
    }
}

/// The members of a JSON object. Duplicate names: the last one wins.
struct ClaimSet {
    /// So few that comparing finds one sooner than hashing.
    private var values: [(name: String, value: ClaimValue)] = []

    /// Reads a JSON object strictly.
    init(_ bytes: [UInt8]) throws(JWTError) {
        do throws(JSONError) {
            self = try JSONReader.read(bytes) { (reader) throws(JSONError) in try ClaimSet(&reader) }
        } catch {
            throw .malformed
        }
    }

    /// Reads the object that comes next.
    init(_ reader: inout JSONReader) throws(JSONError) {
        var values: [(name: String, value: ClaimValue)] = []
        try reader.object { (name, reader) throws(JSONError) in
            values.append((name.value, try Self.value(&reader)))
        }
        self.values = values
    }

    subscript(name: String) -> ClaimValue? { values.last { $0.name == name }?.value }

    /// Without the members that are `null`.
    var withoutNulls: ClaimSet {
        var set = self
        set.values.removeAll { if case .null = $0.value { true } else { false } }
        return set
    }

    private static func value(_ reader: inout JSONReader) throws(JSONError) -> ClaimValue {
        switch try reader.kind() {
        case .string:
            return .string(try reader.string().value)
        case .number:
            let (text, exact) = try reader.numberText()
            return .number(exact.map { Double($0) } ?? Double(text) ?? .infinity, exact: exact)
        case .array:
            var strings: [String]? = []
            try reader.array { (reader) throws(JSONError) in
                guard try reader.kind() == .string else {
                    strings = nil
                    return try reader.skipValue()
                }
                strings?.append(try reader.string().value)
            }
            return strings.map { .strings($0) } ?? .other
        case .null:
            try reader.skipValue()
            return .null
        case .object, .bool:
            try reader.skipValue()
            return .other
        }
    }
}

/// The claims of a verified token.
package struct Claims {
    let set: ClaimSet

    /// A claim that is an integer, or a string of decimal digits that is one; `nil` for anything else.
    package func integer(_ name: String) -> Int64? {
        switch set[name] {
        case .number(_, let exact): return exact
        case .string(let text):
            return text.utf8.isDecimal ? Int64(text) : nil
        case .strings, .null, .other, nil: return nil
        }
    }
}
