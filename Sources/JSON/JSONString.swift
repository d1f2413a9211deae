import Bytes
import Glibc

/// A string that a ``JSONReader`` has checked. Valid only while the reader's text is being read.
package struct JSONString {
    let raw: UnsafeBufferPointer<UInt8>
    let hasEscapes: Bool

    /// Whether it is exactly this text; cheap, and right for escaped strings too.
    package static func == (string: JSONString, text: StaticString) -> Bool {
        guard !string.hasEscapes else { return string.value == text.description }
        guard string.raw.count == text.utf8CodeUnitCount else { return false }
        return string.raw.baseAddress.map { memcmp($0, text.utf8Start, string.raw.count) == 0 } ?? true
    }

    /// Allows a string in the patterns of a `switch`.
    package static func ~= (text: StaticString, string: JSONString) -> Bool {
        string == text
    }

    /// The bytes of the string when it was written without escapes.
    package var plainBytes: UnsafeBufferPointer<UInt8>? { hasEscapes ? nil : raw }

    /// Its characters.
    package var value: String {
        guard hasEscapes else { return String(decoding: raw, as: UTF8.self) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(raw.count)
        var index = 0
        while index < raw.count {
            guard raw[index] == UInt8(ascii: "\\"), index + 1 < raw.count else {
                bytes.append(raw[index])
                index += 1
                continue
            }
            let letter = raw[index + 1]
            index += 2
            switch letter {
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "u"): appendScalar(at: &index, to: &bytes)
            default: bytes.append(letter)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Decodes `XXXX` or `XXXX\uXXXX`, which the reader has found to be a scalar.
    private func appendScalar(at index: inout Int, to bytes: inout [UInt8]) {
        var code = unit(at: index)
        index += 4
        if (0xD800..<0xDC00).contains(code) {
            code = 0x10000 + (code - 0xD800) << 10 + (unit(at: index + 2) & 0x3FF)
            index += 6
        }
        bytes.append(contentsOf: String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
    }

    private func unit(at start: Int) -> UInt32 {
        var unit: UInt32 = 0
        for index in start..<start + 4 where index < raw.count {
            unit = unit << 4 | UInt32(raw[index].hexadecimalValue ?? 0)
        }
        return unit
    }
}
