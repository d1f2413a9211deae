import Bytes

/// The three parts of a JWS in compact serialization (RFC 7515 section 7.1), as received.
struct CompactToken {
    /// Longer ones are rejected unread, in bytes.
    static let maximumLength = 8_192

    /// The bytes that the signature covers: both first parts and the dot between them.
    let signed: [UInt8]
    let header: [UInt8]
    let payload: [UInt8]
    let signature: [UInt8]

    init(_ token: some Collection<UInt8>) throws(JWTError) {
        // As a whole where it is contiguous, which generic code copies byte by byte.
        let bytes = token.withContiguousStorageIfAvailable { Array($0.prefix(Self.maximumLength + 1)) }
        try self.init(bytes: bytes ?? Array(token.prefix(Self.maximumLength + 1)))
    }

    private init(bytes: [UInt8]) throws(JWTError) {
        let dot = UInt8(ascii: ".")
        guard bytes.count <= Self.maximumLength, let first = bytes.firstIndex(of: dot),
            let second = bytes[(first + 1)...].firstIndex(of: dot), !bytes[(second + 1)...].contains(dot),
            let header = Base64URL.decode(bytes[..<first]),
            let payload = Base64URL.decode(bytes[(first + 1)..<second]),
            let signature = Base64URL.decode(bytes[(second + 1)...])
        else { throw .malformed }
        signed = Array(bytes[..<second])
        self.header = header
        self.payload = payload
        self.signature = signature
    }
}
