import Bytes
import JSON

/// The claims of a verified token.
package struct Claims {
    let members: JSONValue

    /// A claim that is an integer, or a string of decimal digits that is one; `nil` for anything else.
    package func integer(_ name: String) -> Int64? {
        switch members[name] {
        case .number(let number): number.integer
        case .string(let text): text.utf8.isDecimal ? Int64(text) : nil
        default: nil
        }
    }
}

extension JSONValue {
    /// Reads the JSON object of a part of a token.
    ///
    /// - Throws: ``JWTError``.
    init(part bytes: [UInt8]) throws(JWTError) {
        do throws(JSONError) {
            self = try JSONValue(bytes)
        } catch {
            throw .malformed
        }
        guard members != nil else { throw .malformed }
    }

    /// Whether it is this string, or an array of strings that contains it. Strings are compared code point by code point (RFC 7515
    /// section 5.3), which Swift's own comparison does not do.
    func matches(_ text: String, orOneOfSeveral isList: Bool) -> Bool {
        switch self {
        case .string(let value): value.utf8.elementsEqual(text.utf8)
        case .array: isList && strings?.contains { $0.utf8.elementsEqual(text.utf8) } == true
        default: false
        }
    }

    /// The strings of an array that contains only strings.
    var strings: [String]? {
        guard let items else { return nil }
        let strings = items.compactMap(\.string)
        return strings.count == items.count ? strings : nil
    }

    /// An object without its members that are `null`.
    var withoutNulls: JSONValue {
        .object((members ?? []).filter { !$0.value.isNull })
    }
}
