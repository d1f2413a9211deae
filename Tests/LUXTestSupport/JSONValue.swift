/// A JSON text with the order of its keys and the spelling of its numbers: two are equal only when both match.
package indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Equatable, Sendable {
        package let name: String
        package let value: JSONValue
    }

    package init?(_ text: String) { self.init(Array(text.utf8)) }

    package init?(_ bytes: [UInt8]) {
        var parser = Parser(bytes: bytes)
        guard let value = parser.value(), parser.atEnd() else { return nil }
        self = value
    }

    package subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    package subscript(_ index: Int) -> JSONValue? {
        guard case .array(let items) = self, items.indices.contains(index) else { return nil }
        return items[index]
    }

    package var string: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    package var integer: Int64? {
        if case .number(let text) = self { return Int64(text) }
        return nil
    }

    package var items: [JSONValue]? {
        if case .array(let items) = self { return items }
        return nil
    }

    /// The keys of an object in their order.
    package var keys: [String] {
        guard case .object(let members) = self else { return [] }
        return members.map(\.name)
    }

    /// All strings and numbers at any depth, as text.
    package var leaves: [String] {
        switch self {
        case .null: []
        case .bool(let value): [String(value)]
        case .number(let text), .string(let text): [text]
        case .array(let items): items.flatMap(\.leaves)
        case .object(let members): members.flatMap(\.value.leaves)
        }
    }

    private struct Parser {
        let bytes: [UInt8]
        var index = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var next: UInt8? { index < bytes.count ? bytes[index] : nil }

        mutating func skipSpace() {
            while let byte = next, [32, 9, 10, 13].contains(byte) { index += 1 }
        }

        mutating func atEnd() -> Bool {
            skipSpace()
            return index == bytes.count
        }

        mutating func take(_ text: String) -> Bool {
            guard bytes[index...].starts(with: text.utf8) else { return false }
            index += text.utf8.count
            return true
        }

        mutating func value() -> JSONValue? {
            skipSpace()
            switch next {
            case UInt8(ascii: "{"): return object()
            case UInt8(ascii: "["): return array()
            case UInt8(ascii: "\""): return text().map { .string($0) }
            case UInt8(ascii: "n"): return take("null") ? .null : nil
            case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
            case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
            default: return number()
            }
        }

        mutating func number() -> JSONValue? {
            let from = index
            while let byte = next, "+-.eE0123456789".utf8.contains(byte) { index += 1 }
            return from < index ? .number(String(decoding: bytes[from..<index], as: UTF8.self)) : nil
        }

        mutating func array() -> JSONValue? {
            index += 1
            var items: [JSONValue] = []
            skipSpace()
            if take("]") { return .array([]) }
            while let item = value() {
                items.append(item)
                skipSpace()
                if take("]") { return .array(items) }
                guard take(",") else { return nil }
            }
            return nil
        }

        mutating func object() -> JSONValue? {
            index += 1
            var members: [Member] = []
            skipSpace()
            if take("}") { return .object([]) }
            while true {
                skipSpace()
                guard next == UInt8(ascii: "\""), let name = text() else { return nil }
                skipSpace()
                guard take(":"), let member = value() else { return nil }
                members.append(Member(name: name, value: member))
                skipSpace()
                if take("}") { return .object(members) }
                guard take(",") else { return nil }
            }
        }

        mutating func text() -> String? {
            index += 1
            var units: [UInt8] = []
            var pending: UInt16?
            while let byte = next {
                index += 1
                if byte == UInt8(ascii: "\"") { return pending == nil ? String(validating: units, as: UTF8.self) : nil }
                guard byte == UInt8(ascii: "\\") else {
                    guard byte >= 32 else { return nil }
                    units.append(byte)
                    continue
                }
                guard let escape = next else { return nil }
                index += 1
                if escape == UInt8(ascii: "u") {
                    guard index + 4 <= bytes.count,
                        let unit = UInt16(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
                    else { return nil }
                    index += 4
                    if UTF16.isLeadSurrogate(unit) {
                        pending = unit
                    } else {
                        units += String(decoding: [pending, unit].compactMap { $0 }, as: UTF16.self).utf8
                        pending = nil
                    }
                } else {
                    let plain: [UInt8: UInt8] = [98: 8, 102: 12, 110: 10, 114: 13, 116: 9, 34: 34, 92: 92, 47: 47]
                    guard let unit = plain[escape] else { return nil }
                    units.append(unit)
                }
            }
            return nil
        }
    }
}
