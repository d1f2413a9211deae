/// A name that a family gives its device.
package struct DeviceAlias: Hashable, Sendable {
    /// 1 to 100 Unicode scalars, without white space at either end and without control characters.
    package let value: String

    /// Trims white space at both ends; `nil` when nothing is left, more than 100 scalars, or a control character (general
    /// category Cc) inside.
    package init?(_ text: String) {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return nil }
        let trimmed = scalars[first...last]
        guard trimmed.count <= 100, !trimmed.contains(where: { $0.properties.generalCategory == .control }) else {
            return nil
        }
        value = String(trimmed)
    }
}
