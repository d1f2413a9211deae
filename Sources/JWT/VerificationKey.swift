/// A key with the one algorithm that it is used for; a token never chooses (RFC 8725 section 3.1).
public struct VerificationKey: Sendable {
    private let mac: HMACSHA256

    /// The `alg` that a token's header has to name.
    let algorithm = "HS256"

    /// A shared secret for HMAC with SHA-256 (RFC 7518 section 3.2, which wants at least 32 bytes).
    ///
    /// - Throws: ``JWTError/cryptography(_:)`` when OpenSSL refuses.
    public static func hs256(secret: [UInt8]) throws(JWTError) -> VerificationKey {
        VerificationKey(mac: try HMACSHA256(key: secret))
    }

    func verify(_ signature: [UInt8], over bytes: [UInt8]) throws(JWTError) {
        guard HMACSHA256.areEqual(try mac.authenticationCode(bytes), signature) else { throw .signature }
    }
}
