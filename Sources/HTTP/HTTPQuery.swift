/// The parameters of a query, decoded, in order, duplicates kept.
package struct HTTPQuery: Sendable {
    /// The parameters. One without `=` has an empty value.
    package let items: [(name: String, value: String)]

    /// Decodes a query: `&` between parameters, `+` a space.
    ///
    /// - Returns: `nil` when an escape is bad or the decoded bytes are not UTF-8.
    init?(_ bytes: some Collection<UInt8>) {
        var items: [(name: String, value: String)] = []
        for part in bytes.split(separator: UInt8(ascii: "&")) {
            let name = part.prefix { $0 != UInt8(ascii: "=") }
            guard let decodedName = PercentDecoding.decode(name, plusIsSpace: true),
                let value = PercentDecoding.decode(part.dropFirst(name.count + 1), plusIsSpace: true)
            else { return nil }
            items.append((decodedName, value))
        }
        self.items = items
    }

    /// The values of all parameters of a name, in order.
    package func values(_ name: String) -> [String] {
        items.filter { $0.name == name }.map(\.value)
    }
}
