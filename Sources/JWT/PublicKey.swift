import COpenSSL
import OpenSSL

/// An RSA or P-256 public key and the one signature algorithm that it is used with.
///
/// `@unchecked Sendable`: never changed after `init`; OpenSSL allows verifying with one key from several threads
/// (openssl-threads(7)).
final class PublicKey: @unchecked Sendable {
    /// The sizes of RSA keys, in bits: at least what RFC 7518 section 3.3 wants, at most what OpenSSL verifies with.
    static let sizes = 2_048...16_384

    /// The algorithms of RFC 7518 section 3.1.
    enum Algorithm: String {
        /// RSASSA-PKCS1-v1_5 with SHA-256 (section 3.3).
        case rs256 = "RS256"
        /// ECDSA on P-256 with SHA-256 (section 3.4).
        case es256 = "ES256"
    }

    let algorithm: Algorithm
    private let key: OpaquePointer

    /// Bytes of an ES256 signature: R and S, each as long as the curve's order (RFC 7518 section 3.4).
    private static let es256Length = 64

    /// Takes a key that can be used, and no other.
    ///
    /// - Parameter information: a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) in DER.
    /// - Throws: ``KeyError``.
    init(information: [UInt8]) throws(KeyError) {
        defer { ERR_clear_error() }
        let parsed = information.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var next = bytes.baseAddress
            guard let key = d2i_PUBKEY(nil, &next, bytes.count) else { return nil }
            guard next == bytes.baseAddress.map({ $0 + bytes.count }) else {
                EVP_PKEY_free(key)
                return nil
            }
            return key
        }
        guard let parsed else { throw .invalid }
        do throws(KeyError) {
            algorithm = try Self.algorithm(of: parsed)
        } catch {
            EVP_PKEY_free(parsed)
            throw error
        }
        key = parsed
    }

    deinit {
        EVP_PKEY_free(key)
    }

    private static func algorithm(of key: OpaquePointer) throws(KeyError) -> Algorithm {
        let algorithm: Algorithm
        // RSA-PSS and SM2 keys are kinds of their own, and not among these two.
        if EVP_PKEY_is_a(key, "RSA") == 1 {
            let bits = Int(EVP_PKEY_get_bits(key))
            guard sizes.contains(bits) else { throw .size(bits: bits) }
            algorithm = .rs256
        } else if EVP_PKEY_is_a(key, "EC") == 1 {
            let name = curve(of: key)
            guard name == "prime256v1" else { throw .curve(name) }
            algorithm = .es256
        } else {
            throw .kind
        }
        // The point is on the curve; the modulus is no prime, the exponent is odd and not 1.
        guard let context = EVP_PKEY_CTX_new(key, nil) else { throw .invalid }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_public_check(context) == 1 else { throw .invalid }
        return algorithm
    }

    private static func curve(of key: OpaquePointer) -> String {
        var name = [CChar](repeating: 0, count: 80)
        var length = 0
        guard EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else { return "a curve without a name" }
        return String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether this key made the signature (EVP_DigestVerify(3)).
    ///
    /// - Throws: ``JWTError/cryptography(_:)`` when OpenSSL cannot begin.
    func isSigned(_ signature: [UInt8], over bytes: [UInt8]) throws(JWTError) -> Bool {
        let encoded: [UInt8]
        switch algorithm {
        case .rs256:
            // Of any length but the modulus's OpenSSL takes none (RFC 8017 section 8.2.2).
            encoded = signature
        case .es256:
            guard signature.count == Self.es256Length else { return false }
            let half = Self.es256Length / 2
            encoded = DER.sequence(DER.integer(signature[..<half]), DER.integer(signature[half...]))
        }
        guard let context = EVP_MD_CTX_new() else { throw .cryptography(OpenSSLError.last().description) }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1 else {
            throw .cryptography(OpenSSLError.last().description)
        }
        // A wrong signature is 0 or less, and may leave errors behind.
        defer { ERR_clear_error() }
        return EVP_DigestVerify(context, encoded, encoded.count, bytes, bytes.count) == 1
    }
}
