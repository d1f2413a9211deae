/// The character classes of HTTP's grammar.
enum ByteClasses {
    /// A character of a token (RFC 9110 section 5.6.2).
    static func isToken(_ byte: UInt8) -> Bool { tokens[Int(byte)] }

    /// A character that a field value may contain: visible ASCII, space, tab, obs-text (RFC 9110 section 5.5).
    static func isFieldValue(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

    /// A character that a request target may contain: visible ASCII that a URI may contain, no fragment (RFC 3986).
    static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#") }

    private static let tokens: [Bool] = {
        var table = [Bool](repeating: false, count: 256)
        for byte in "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8 {
            table[Int(byte)] = true
        }
        return table
    }()
}
