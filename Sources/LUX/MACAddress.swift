/// The `mac_id` of a device: the app sends its last four digits, the factory may record the whole address.
package enum MACAddress {
    private static let separators = Set(":-. ".utf8)

    /// Whether two of them are the same device's: without separators and case they are equal, or one ends with the other
    /// and the shorter has at least four characters.
    package static func isSameDevice(_ one: String, _ other: String) -> Bool {
        let one = normalized(one)
        let other = normalized(other)
        if one == other { return true }
        let (short, long) = one.count < other.count ? (one, other) : (other, one)
        return short.count >= 4 && long.suffix(short.count).elementsEqual(short)
    }

    private static func normalized(_ text: String) -> [Unicode.Scalar] {
        text.uppercased().unicodeScalars.filter { scalar in
            !(scalar.isASCII && separators.contains(UInt8(truncatingIfNeeded: scalar.value)))
                && !scalar.properties.isWhitespace
        }
    }
}
