/// Why public keys are not accepted. Contains nothing of the file but key identifiers, which are public.
package enum KeyError: Error, Equatable, Sendable {
    /// Neither PEM nor JSON.
    case notAKey
    /// JSON, but neither a JWK Set nor a JWK (RFC 7517 sections 4 and 5).
    case notAKeySet
    /// A private key, which does not belong on a server that only verifies.
    case privateKey
    /// A PEM block of another kind than a public key.
    case otherPEM(label: String)
    /// More than one key in a PEM file, where nothing identifies the one that a token means.
    case severalPEM
    /// An RSA key of fewer bits than RFC 7518 section 3.3 demands, or of more than OpenSSL verifies with.
    case size(bits: Int)
    /// An elliptic curve other than P-256 and P-384 (RFC 7518 section 3.4).
    case curve(String)
    /// None of RSA, elliptic curve and Ed25519.
    case kind
    /// The numbers are not a key.
    case invalid
    /// `alg` is none of those that the key can be used with.
    case algorithm(String)
    /// `kty` differs from the kind of the key in `x5c`.
    case certificateKind
    /// A member of a JWK is missing or wrong, in words.
    case unusable(String)
    /// A JWK Set without a key that can be used, with why each is not.
    case noUsableKey([KeySetWarning])
    /// Two different keys of one `kid` (RFC 7517 section 4.5).
    case duplicateIdentifier(String)
    /// More keys without a `kid` than are tried for one token.
    case tooManyWithoutIdentifier(Int)
}

extension KeyError: CustomStringConvertible {
    /// For the operator.
    package var description: String {
        switch self {
        case .notAKey: "contains neither a public key as PEM nor a JWKS"
        case .notAKeySet: "is JSON, but neither a JWKS (an object with an array of objects \"keys\") nor a JWK"
        case .privateKey: "contains a private key; only the public one belongs here (openssl pkey -pubout)"
        case .otherPEM("CERTIFICATE"):
            "contains a certificate, not a public key (openssl x509 -pubkey -noout extracts it)"
        case .otherPEM(let label): "contains a PEM block \(label), not a public key"
        case .severalPEM: "contains several keys; several go into a JWKS, each with its kid"
        case .size(let bits):
            "is an RSA key of \(bits) bits;"
                + " \(PublicKey.sizes.lowerBound) to \(PublicKey.sizes.upperBound) are accepted"
        case .curve(let name): "is an elliptic curve key on \(name); P-256 and P-384 are accepted"
        case .kind: "is a key that is none of RSA, P-256, P-384 and Ed25519"
        case .invalid: "is not a valid key"
        case .algorithm(let accepted): "alg is not \(accepted)"
        case .certificateKind: "kty is not that of the key in x5c"
        case .unusable(let reason): reason
        case .noUsableKey(let warnings):
            "contains no key that can be used" + warnings.map { "; \($0)" }.joined()
        case .duplicateIdentifier(let identifier): "contains two keys with the kid \"\(identifier)\""
        case .tooManyWithoutIdentifier(let count):
            "contains \(count) keys without a kid; at most \(VerificationKeys.maximumWithoutIdentifier) can be tried"
        }
    }
}

/// Why one key of a JWK Set is not used.
package struct KeySetWarning: Equatable, Sendable, CustomStringConvertible {
    /// Its position in the set, counted from 1.
    package var position: Int
    /// Its `kid`, if it has one.
    package var identifier: String?
    package var reason: String

    /// For the operator.
    package var description: String {
        "key \(position)\(identifier.map { " (kid \"\($0)\")" } ?? ""): \(reason)"
    }
}
