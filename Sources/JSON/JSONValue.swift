/// A JSON value in memory whose members keep their order, for small texts: tokens, keys, replies of providers, documents. The
/// bodies of requests are read by ``JSONReader`` without it. An immutable value.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    /// Its members as written, repeated names included.
    case object([(name: String, value: JSONValue)])
    /// A JSON text, such as an example of the API page, that is written letter for letter. Never the result of reading.
    case raw(String)

    /// Reads one JSON text strictly.
    ///
    /// - Throws: ``JSONError``.
    package init(_ bytes: [UInt8]) throws(JSONError) {
        self = try JSONReader.read(bytes) { (reader) throws(JSONError) in try JSONValue(&reader) }
    }

    /// Reads the value that comes next.
    package init(_ reader: inout JSONReader) throws(JSONError) {
        switch try reader.kind() {
        case .null:
            try reader.null()
            self = .null
        case .bool:
            let start = reader.offset
            try reader.skipValue()
            // `true` is the shorter one.
            self = .bool(reader.offset - start == 4)
        case .number:
            let (text, integer) = try reader.numberText()
            self = .number(JSONNumber(text: text, integer: integer))
        case .string: self = .string(try reader.string().value)
        case .array:
            var items: [JSONValue] = []
            try reader.array { (reader) throws(JSONError) in items.append(try JSONValue(&reader)) }
            self = .array(items)
        case .object:
            var members: [(name: String, value: JSONValue)] = []
            try reader.object { (name, reader) throws(JSONError) in
                members.append((name.value, try JSONValue(&reader)))
            }
            self = .object(members)
        }
    }

    package static func integer(_ value: Int64) -> JSONValue {
        .number(JSONNumber(text: String(value), integer: value))
    }

    // MARK: Parts

    /// A member of an object; of several with one name the last one.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        // So few that comparing finds one sooner than hashing.
        return members.last { $0.name == name }?.value
    }

    /// An element of an array.
    package subscript(index: Int) -> JSONValue? {
        guard let items, items.indices.contains(index) else { return nil }
        return items[index]
    }

    /// The elements of an array.
    package var items: [JSONValue]? {
        guard case .array(let items) = self else { return nil }
        return items
    }

    package var members: [(name: String, value: JSONValue)]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var isNull: Bool { if case .null = self { true } else { false } }

    package var isTrue: Bool { if case .bool(true) = self { true } else { false } }

    /// An object with these members after its own.
    package func adding(_ more: JSONValue) -> JSONValue {
        guard let members, let added = more.members else { return self }
        return .object(members + added)
    }

    // MARK: Writing

    package func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let number): bytes.append(contentsOf: number.text.utf8)
        case .string(let value): JSONWriter.append(string: value, to: &bytes)
        case .raw(let text): bytes.append(contentsOf: text.utf8)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONWriter.append(string: member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

/// A JSON number as it was written.
package struct JSONNumber: Sendable {
    package let text: String
    /// Its value where it is written as an integer in the range of `Int64`.
    package let integer: Int64?

    /// The nearest double; infinite beyond the range.
    package var double: Double { integer.map { Double($0) } ?? Double(text) ?? .infinity }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }

    package init(integerLiteral value: Int64) { self = .integer(value) }

    package init(booleanLiteral value: Bool) { self = .bool(value) }

    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { (name: $0.0, value: $0.1) })
    }
}
