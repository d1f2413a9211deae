import Glibc

/// The IP address of a client. IPv4 addresses are kept as IPv4-mapped IPv6 ones (RFC 4291 section 2.5.5.2).
package struct ClientAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address in host byte order, the first 64 bits and the last.
    private let high: UInt64
    private let low: UInt64

    private static let mappedPrefix: UInt64 = 0x0000_ffff_0000_0000

    /// What limits are shared out by: an IPv4 address, or the /64 network of an IPv6 one, which is what one customer gets.
    package struct Network: Hashable, Sendable {
        fileprivate let bits: UInt64
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(_ address: sockaddr_storage) {
        self = withUnsafeBytes(of: address) { bytes in
            switch Int32(address.ss_family) {
            case AF_INET:
                Self(ipv4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            case AF_INET6: Self(bytes: UnsafeRawBufferPointer(rebasing: bytes[8..<24]))
            default: Self(high: 0, low: 0)
            }
        }
    }

    init(ipv4: UInt32) {
        self.init(high: 0, low: Self.mappedPrefix | UInt64(ipv4))
    }

    /// - Parameter bytes: the 16 bytes of an IPv6 address.
    init(bytes: UnsafeRawBufferPointer) {
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    /// Reads an address as inet_pton(3) does, an IPv6 one with or without brackets; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(ipv4: UInt32(bigEndian: v4.s_addr))
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        self = withUnsafeBytes(of: v6) { Self(bytes: $0) }
    }

    package var isIPv4: Bool { high == 0 && low >> 32 == Self.mappedPrefix >> 32 }

    var network: Network { Network(bits: isIPv4 ? low : high) }

    /// Whether the first bits of both addresses are the same.
    ///
    /// - Parameter bits: 0 to 128.
    func hasSamePrefix(_ other: ClientAddress, bits: Int) -> Bool {
        let highMask = bits >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(bits))
        let lowMask = bits <= 64 ? 0 : bits >= 128 ? UInt64.max : ~(UInt64.max >> UInt64(bits - 64))
        return high & highMask == other.high & highMask && low & lowMask == other.low & lowMask
    }

    /// The address as inet_ntop(3) writes it.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if isIPv4 {
            var address = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
            inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        } else {
            var words = (high.bigEndian, low.bigEndian)
            inet_ntop(AF_INET6, &words, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
