/// A name that a family gives its device: 1 to 100 Unicode scalars, at least one of them visible, without white space at
/// either end and without control characters. A value; never throws.
package struct DeviceAlias: Hashable, Sendable {
    package let value: String

    /// Trims white space at both ends.
    ///
    /// - Returns: `nil` for more than 100 scalars, for a control character (general category Cc) inside, and when every
    ///   scalar is white space or default-ignorable, such as U+200B or U+3164.
    package init?(_ text: String) {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return nil }
        let trimmed = scalars[first...last]
        guard trimmed.count <= 100, trimmed.contains(where: Self.isVisible),
            !trimmed.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        value = String(trimmed)
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        !scalar.properties.isWhitespace && !scalar.properties.isDefaultIgnorableCodePoint
    }
}
