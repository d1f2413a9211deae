import OpenSSL

/// A key with the one algorithm that it is used with; a token never chooses (RFC 8725 section 3.1).
package struct VerificationKey: Sendable {
    private enum Material {
        case secret(HMACSHA256)
        case publicKey(PublicKey)
    }

    private let material: Material

    /// The `alg` that a token's header must name.
    let algorithm: String

    /// A shared secret for HMAC with SHA-256 (RFC 7518 section 3.2, which demands at least 32 bytes).
    ///
    /// - Throws: ``JWTError/cryptography(_:)`` when OpenSSL fails.
    package static func hs256(secret: [UInt8]) throws(JWTError) -> VerificationKey {
        let mac = try JWTError.wrapping { () throws(OpenSSLError) in try HMACSHA256(key: secret) }
        return VerificationKey(material: .secret(mac), algorithm: "HS256")
    }

    /// A public key as PEM: RSA of at least 2048 bits for RS256, P-256 for ES256, P-384 for ES384, Ed25519 for EdDSA.
    ///
    /// - Throws: ``KeyError``.
    package static func publicKey(pem: [UInt8]) throws(KeyError) -> VerificationKey {
        VerificationKey(try PublicKey(pem: pem))
    }

    private init(material: Material, algorithm: String) {
        self.material = material
        self.algorithm = algorithm
    }

    init(_ key: PublicKey) {
        self.init(material: .publicKey(key), algorithm: key.algorithm.rawValue)
    }

    func isSigned(_ signature: [UInt8], over bytes: [UInt8]) throws(JWTError) -> Bool {
        switch material {
        case .secret(let mac):
            HMACSHA256.areEqual(
                try JWTError.wrapping { () throws(OpenSSLError) in try mac.authenticationCode(bytes) }, signature)
        case .publicKey(let key): try key.isSigned(signature, over: bytes)
        }
    }
}
