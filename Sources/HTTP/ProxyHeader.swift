/// The header of the PROXY protocol (HAProxy's `doc/proxy-protocol.txt`), versions 1 and 2, before anything else on a
/// connection.
enum ProxyHeader: Equatable {
    /// More bytes are needed to decide.
    case needMore
    /// The connection begins with something else.
    case absent
    /// The header, and the client's address; `nil` when the proxy speaks for itself (`UNKNOWN`, `LOCAL`).
    case present(length: Int, client: ClientAddress?)
    case malformed

    /// Longer headers are rejected: version 1 has at most 107 bytes, and version 2 needs more only for many TLVs.
    static let maximumLength = 2_048

    private static let signature1 = Array("PROXY ".utf8)
    private static let signature2: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    init(_ bytes: [UInt8]) {
        if bytes.starts(with: Self.signature1) {
            self = Self.version1(bytes)
        } else if bytes.starts(with: Self.signature2) {
            self = Self.version2(bytes)
        } else {
            let mayBecomeOne = Self.signature1.starts(with: bytes) || Self.signature2.starts(with: bytes)
            self = mayBecomeOne ? .needMore : .absent
        }
    }

    /// `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n` (section 2.1).
    private static func version1(_ bytes: [UInt8]) -> ProxyHeader {
        guard let end = bytes.prefix(107).firstIndex(of: 0x0A) else {
            return bytes.count < 107 ? .needMore : .malformed
        }
        guard bytes[end - 1] == 0x0D else { return .malformed }
        let words = String(decoding: bytes[..<(end - 1)], as: UTF8.self)
            .split(separator: " ", omittingEmptySubsequences: false)
        if words.count >= 2, words[1] == "UNKNOWN" { return .present(length: end + 1, client: nil) }
        guard words.count == 6, words[1] == "TCP4" || words[1] == "TCP6", let client = ClientAddress(words[2]),
            client.isIPv4 == (words[1] == "TCP4"), ClientAddress(words[3]) != nil, UInt16(words[4]) != nil,
            UInt16(words[5]) != nil
        else { return .malformed }
        return .present(length: end + 1, client: client)
    }

    /// Version and command, family and protocol, length, addresses, TLVs (section 2.2).
    private static func version2(_ bytes: [UInt8]) -> ProxyHeader {
        guard bytes.count >= 16 else { return .needMore }
        let length = 16 + Int(bytes[14]) << 8 + Int(bytes[15])
        guard bytes[12] >> 4 == 2, bytes[12] & 15 <= 1, length <= maximumLength else { return .malformed }
        guard bytes.count >= length else { return .needMore }
        let isLocal = bytes[12] & 15 == 0
        switch bytes[13] {
        case 0x11 where !isLocal && length >= 28:
            let address = bytes[16..<20].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return .present(length: length, client: ClientAddress(ipv4: address))
        case 0x21 where !isLocal && length >= 52:
            return .present(length: length, client: bytes[16..<32].withUnsafeBytes { ClientAddress(bytes: $0) })
        case 0x11 where !isLocal, 0x21 where !isLocal: return .malformed
        default: return .present(length: length, client: nil)
        }
    }
}
