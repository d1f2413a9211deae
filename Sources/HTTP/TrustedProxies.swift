/// The reverse proxies that are trusted to report a client's address.
package struct TrustedProxies: Sendable, Equatable {
    private struct Range: Sendable, Equatable {
        let address: ClientAddress
        /// Significant bits, 0 to 128.
        let bits: Int
    }

    private var ranges: [Range] = []

    /// Trusts no proxy.
    package init() {}

    /// Reads addresses and networks in CIDR notation, separated by commas; `nil` when one of them cannot be read.
    package init?(_ text: String) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let trimmed = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            let pieces = String(trimmed).split(separator: "/", omittingEmptySubsequences: false)
            guard let first = pieces.first, pieces.count <= 2, let address = ClientAddress(first) else { return nil }
            let width = address.isIPv4 ? 32 : 128
            var length = width
            if pieces.count == 2 {
                guard let value = Int(pieces[1]), (0...width).contains(value), pieces[1].first != "+" else {
                    return nil
                }
                length = value
            }
            ranges.append(Range(address: address, bits: 128 - width + length))
        }
    }

    package var isEmpty: Bool { ranges.isEmpty }

    package func contains(_ address: ClientAddress) -> Bool {
        ranges.contains { $0.address.hasSamePrefix(address, bits: $0.bits) }
    }

    /// The client behind trusted proxies: the last address of `X-Forwarded-For` that is not a trusted proxy's own.
    ///
    /// - Returns: `nil` when the field is absent, or ends in something that is not an address.
    func client(in headers: HTTPHeaders) -> ClientAddress? {
        var client: ClientAddress?
        for member in headers.values(for: .xForwardedFor).flatMap({ HTTPHeaders.members($0) }).reversed() {
            guard let address = Self.address(in: member) else { return client }
            client = address
            if !contains(address) { return address }
        }
        return client
    }

    /// An address with or without a port, as proxies write it.
    private static func address(in member: String) -> ClientAddress? {
        if let address = ClientAddress(member) { return address }
        guard let colon = member.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        return ClientAddress(member[..<colon])
    }
}
