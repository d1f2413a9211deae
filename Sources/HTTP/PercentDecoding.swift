import Bytes

/// Percent-decoding (RFC 3986 section 2.1), strict: a bad escape or invalid UTF-8 is an error.
enum PercentDecoding {
    /// The decoded text.
    ///
    /// - Parameter plusIsSpace: whether `+` is a space, as in a form's query.
    static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool) -> String? {
        // ASCII without an escape is copied.
        if bytes.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "%") && ($0 != UInt8(ascii: "+") || !plusIsSpace) }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(\.hexadecimalValue),
                    let low = iterator.next().flatMap(\.hexadecimalValue)
                else { return nil }
                decoded.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace:
                decoded.append(UInt8(ascii: " "))
            default:
                decoded.append(byte)
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }
}
