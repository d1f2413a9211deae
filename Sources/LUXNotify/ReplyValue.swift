import Bytes
import JSON

/// A JSON value of a provider's reply. Codes come as numbers here and as strings there, so both are read as text.
indirect enum ReplyValue: Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([ReplyValue])
    case object([String: ReplyValue])

    init?(_ bytes: [UInt8]) {
        do throws(JSONError) {
            self = try JSONReader.read(bytes) { (reader) throws(JSONError) in try ReplyValue(&reader) }
        } catch {
            return nil
        }
    }

    private init(_ reader: inout JSONReader) throws(JSONError) {
        switch try reader.kind() {
        case .null:
            try reader.null()
            self = .null
        case .bool:
            let start = reader.offset
            try reader.skipValue()
            // `true` is the shorter one.
            self = .bool(reader.offset - start == 4)
        case .number: self = .number(try reader.numberText().text)
        case .string: self = .string(try reader.string().value)
        case .array:
            var items: [ReplyValue] = []
            try reader.array { (reader) throws(JSONError) in items.append(try ReplyValue(&reader)) }
            self = .array(items)
        case .object:
            var members: [String: ReplyValue] = [:]
            try reader.object { (name, reader) throws(JSONError) in
                members[name.value] = try ReplyValue(&reader)
            }
            self = .object(members)
        }
    }

    subscript(_ name: String) -> ReplyValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    subscript(_ index: Int) -> ReplyValue? {
        guard let items, items.indices.contains(index) else { return nil }
        return items[index]
    }

    var items: [ReplyValue]? {
        guard case .array(let items) = self else { return nil }
        return items
    }

    /// The values of an object, whatever their names.
    var values: [ReplyValue]? {
        guard case .object(let members) = self else { return nil }
        return Array(members.values)
    }

    var isTrue: Bool { self == .bool(true) }

    /// A string or a number as it is. It may contain anything, so it is compared and never put into a reason.
    var text: String? {
        switch self {
        case .number(let text), .string(let text): text
        default: nil
        }
    }

    /// A code or an id: a number or a string that can be neither a name nor a sentence. Providers may quote the phone number that they
    /// reject, and codes end up in rows and logs.
    var code: String? {
        switch self {
        case .number(let text), .string(let text):
            let isPlain = text.utf8.allSatisfy { $0.isAlphanumeric || "-_.:/".utf8.contains($0) }
            return isPlain && (1...100).contains(text.utf8.count) ? text : nil
        default: return nil
        }
    }
}
