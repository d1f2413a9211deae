/// The URL-safe base64 of RFC 4648 section 5 without padding, as RFC 7515 section 2 demands.
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The value of each byte that is a digit; 64 for all others.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 64, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    /// Decodes strictly: no padding, no other characters, and no bits set beyond the last byte, so that each value has
    /// exactly one form.
    ///
    /// - Returns: `nil` for anything else.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        text.withContiguousStorageIfAvailable { decode($0) } ?? Array(text).withUnsafeBufferPointer { decode($0) }
    }

    /// Decodes with or without padding, as some issuers write the numbers of keys.
    package static func decode(padded text: String) -> [UInt8]? {
        var digits = Array(text.utf8)
        if digits.count % 4 == 0 {
            for _ in 0..<2 where digits.last == UInt8(ascii: "=") { digits.removeLast() }
        }
        return decode(digits)
    }

    /// Decodes base64 of RFC 4648 section 4, with or without padding.
    package static func decode(standardBase64 text: String) -> [UInt8]? {
        decode(padded: text.replacing("+", with: "-").replacing("/", with: "_"))
    }

    private static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        let rest = text.count % 4
        // One digit alone is not a byte.
        guard rest != 1 else { return nil }
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + max(0, rest - 1)) { bytes, count in
            isValid = values.withUnsafeBufferPointer { values in
                decode(text, values, into: bytes)
            }
            count = isValid ? bytes.count : 0
        }
        return isValid ? bytes : nil
    }

    private static func decode(
        _ text: UnsafeBufferPointer<UInt8>, _ values: UnsafeBufferPointer<UInt8>,
        into bytes: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        var (index, next, bits) = (0, 0, UInt32(0))
        var seen: UInt8 = 0
        while index + 4 <= text.count {
            let (a, b) = (values[Int(text[index])], values[Int(text[index + 1])])
            let (c, d) = (values[Int(text[index + 2])], values[Int(text[index + 3])])
            seen |= a | b | c | d
            bits = UInt32(a) << 18 | UInt32(b) << 12 | UInt32(c) << 6 | UInt32(d)
            bytes[next] = UInt8(truncatingIfNeeded: bits >> 16)
            bytes[next + 1] = UInt8(truncatingIfNeeded: bits >> 8)
            bytes[next + 2] = UInt8(truncatingIfNeeded: bits)
            index += 4
            next += 3
        }
        bits = 0
        let digits = text.count - index
        while index < text.count {
            let value = values[Int(text[index])]
            seen |= value
            bits = bits << 6 | UInt32(value)
            index += 1
        }
        guard seen < 64 else { return false }
        // The bits that are left over must be zero.
        switch digits {
        case 2:
            bytes[next] = UInt8(truncatingIfNeeded: bits >> 4)
            return bits & 0xF == 0
        case 3:
            bytes[next] = UInt8(truncatingIfNeeded: bits >> 10)
            bytes[next + 1] = UInt8(truncatingIfNeeded: bits >> 2)
            return bits & 0x3 == 0
        default:
            return true
        }
    }

    /// Encodes.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(alphabet[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
