/// As much of the distinguished encoding rules (ITU-T X.690) as keys and signatures need.
enum DER {
    /// INTEGER, of an unsigned number with its most significant byte first.
    static func integer(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var number = Array(bytes.drop { $0 == 0 })
        // Without a leading zero a set first bit would be a sign; zero itself is one byte.
        if number.first.map({ $0 & 0x80 != 0 }) ?? true { number.insert(0, at: 0) }
        return tagged(0x02, number)
    }

    /// SEQUENCE.
    static func sequence(_ elements: [UInt8]...) -> [UInt8] {
        tagged(0x30, Array(elements.joined()))
    }

    /// BIT STRING of whole bytes.
    static func bitString(_ bytes: [UInt8]) -> [UInt8] {
        tagged(0x03, [0] + bytes)
    }

    private static func tagged(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        guard content.count >= 0x80 else { return [tag, UInt8(content.count)] + content }
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }
}

/// Subject public key infos (RFC 5280 section 4.1.2.7) of keys that are given as bare numbers.
enum SubjectPublicKeyInfo {
    /// rsaEncryption with its NULL parameters (RFC 3279 section 2.3.1).
    private static let rsaAlgorithm: [UInt8] = [
        0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]

    /// id-ecPublicKey on secp256r1 (RFC 5480 section 2.1.1).
    private static let p256Algorithm: [UInt8] = [
        0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
        0x03, 0x01, 0x07,
    ]

    /// id-ecPublicKey on secp384r1 (RFC 5480 section 2.1.1).
    private static let p384Algorithm: [UInt8] = [
        0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22,
    ]

    /// id-Ed25519 (RFC 8410 section 3).
    private static let ed25519Algorithm: [UInt8] = [0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70]

    static func rsa(modulus: [UInt8], exponent: [UInt8]) -> [UInt8] {
        rsa(pkcs1: DER.sequence(DER.integer(modulus), DER.integer(exponent)))
    }

    /// - Parameter pkcs1: an RSAPublicKey (RFC 8017 appendix A.1.1).
    static func rsa(pkcs1: [UInt8]) -> [UInt8] {
        DER.sequence(rsaAlgorithm, DER.bitString(pkcs1))
    }

    static func p256(x: [UInt8], y: [UInt8]) -> [UInt8] {
        DER.sequence(p256Algorithm, DER.bitString([0x04] + x + y))
    }

    static func p384(x: [UInt8], y: [UInt8]) -> [UInt8] {
        DER.sequence(p384Algorithm, DER.bitString([0x04] + x + y))
    }

    static func ed25519(_ x: [UInt8]) -> [UInt8] {
        DER.sequence(ed25519Algorithm, DER.bitString(x))
    }
}
