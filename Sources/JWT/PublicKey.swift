import COpenSSL
import OpenSSL

/// A public key and the one signature algorithm that it is used with.
///
/// `@unchecked Sendable`: never changed after `init`; OpenSSL allows verifying with one key from several threads
/// (openssl-threads(7)).
final class PublicKey: @unchecked Sendable {
    /// The sizes of RSA keys, in bits: at least what RFC 7518 section 3.3 demands, at most what OpenSSL verifies with.
    static let sizes = 2_048...16_384

    /// The algorithms of RFC 7518 section 3.1 and RFC 8037 section 3.1.
    enum Algorithm: String {
        /// RSASSA-PKCS1-v1_5 (RFC 7518 section 3.3).
        case rs256 = "RS256"
        case rs384 = "RS384"
        case rs512 = "RS512"
        /// RSASSA-PSS, with a salt as long as the hash (section 3.5).
        case ps256 = "PS256"
        case ps384 = "PS384"
        case ps512 = "PS512"
        /// ECDSA on P-256 and P-384 (section 3.4).
        case es256 = "ES256"
        case es384 = "ES384"
        /// Ed25519.
        case edDSA = "EdDSA"

        /// `nil` where the algorithm contains its own.
        fileprivate var digest: OpaquePointer? {
            switch self {
            case .rs256, .ps256, .es256: EVP_sha256()
            case .rs384, .ps384, .es384: EVP_sha384()
            case .rs512, .ps512: EVP_sha512()
            case .edDSA: nil
            }
        }

        fileprivate var isPSS: Bool { self == .ps256 || self == .ps384 || self == .ps512 }
    }

    /// What a key is, which limits what it can be used with.
    enum Kind: Equatable {
        case rsa, p256, p384, ed25519

        /// Its `kty`.
        var type: String {
            switch self {
            case .rsa: "RSA"
            case .p256, .p384: "EC"
            case .ed25519: "OKP"
            }
        }

        /// The first is used where nothing names one.
        fileprivate var algorithms: [Algorithm] {
            switch self {
            case .rsa: [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]
            case .p256: [.es256]
            case .p384: [.es384]
            case .ed25519: [.edDSA]
            }
        }
    }

    let kind: Kind
    let algorithm: Algorithm
    /// Its SubjectPublicKeyInfo, by which equal keys are recognised.
    let information: [UInt8]
    private let key: OpaquePointer

    /// Accepts only a key that can be used.
    ///
    /// - Parameters:
    ///   - information: a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) in DER.
    ///   - algorithm: what the key is used with; `nil` for the usual one of its kind.
    /// - Throws: ``KeyError``.
    init(information: [UInt8], algorithm name: String? = nil) throws(KeyError) {
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
            kind = try Self.kind(of: parsed)
            algorithm = try Self.algorithm(name, of: kind)
        } catch {
            EVP_PKEY_free(parsed)
            throw error
        }
        self.information = information
        key = parsed
    }

    deinit {
        EVP_PKEY_free(key)
    }

    private static func algorithm(_ name: String?, of kind: Kind) throws(KeyError) -> Algorithm {
        guard let name else { return kind.algorithms[0] }
        guard let algorithm = kind.algorithms.first(where: { $0.rawValue == name }) else {
            throw .algorithm(kind.algorithms.map(\.rawValue).joined(separator: ", "))
        }
        return algorithm
    }

    private static func kind(of key: OpaquePointer) throws(KeyError) -> Kind {
        let kind: Kind
        // RSA-PSS and SM2 keys are kinds of their own, and not among these.
        if EVP_PKEY_is_a(key, "RSA") == 1 {
            let bits = Int(EVP_PKEY_get_bits(key))
            guard sizes.contains(bits) else { throw .size(bits: bits) }
            kind = .rsa
        } else if EVP_PKEY_is_a(key, "EC") == 1 {
            switch curve(of: key) {
            case "prime256v1": kind = .p256
            case "secp384r1": kind = .p384
            case let name: throw .curve(name)
            }
        } else if EVP_PKEY_is_a(key, "ED25519") == 1 {
            kind = .ed25519
        } else {
            throw .kind
        }
        // The point is on the curve; the modulus is not prime, the exponent is odd and not 1.
        guard let context = EVP_PKEY_CTX_new(key, nil) else { throw .invalid }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_public_check(context) == 1 else { throw .invalid }
        return kind
    }

    private static func curve(of key: OpaquePointer) -> String {
        var name = [CChar](repeating: 0, count: 80)
        var length = 0
        guard EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else { return "a curve without a name" }
        return String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the signature is by this key (EVP_DigestVerify(3)).
    ///
    /// - Throws: ``JWTError/cryptography(_:)`` when OpenSSL cannot begin.
    func isSigned(_ signature: [UInt8], over bytes: [UInt8]) throws(JWTError) -> Bool {
        guard let encoded = encoded(signature) else { return false }
        guard let context = EVP_MD_CTX_new() else { throw .cryptography(OpenSSLError.last().description) }
        defer { EVP_MD_CTX_free(context) }
        var parameters: OpaquePointer?
        guard EVP_DigestVerifyInit(context, &parameters, algorithm.digest, nil, key) == 1,
            !algorithm.isPSS || lux_use_pss(parameters) == 1
        else { throw .cryptography(OpenSSLError.last().description) }
        // A wrong signature is 0 or less, and may leave errors behind.
        defer { ERR_clear_error() }
        return EVP_DigestVerify(context, encoded, encoded.count, bytes, bytes.count) == 1
    }

    /// The signature in OpenSSL's form; `nil` when its length is wrong. For ECDSA a token has R and S, each as long as the
    /// curve's order (RFC 7518 section 3.4). OpenSSL itself rejects wrong lengths of the other algorithms.
    private func encoded(_ signature: [UInt8]) -> [UInt8]? {
        let half: Int
        switch kind {
        case .rsa, .ed25519: return signature
        case .p256: half = 32
        case .p384: half = 48
        }
        guard signature.count == 2 * half else { return nil }
        return DER.sequence(DER.integer(signature[..<half]), DER.integer(signature[half...]))
    }
}
