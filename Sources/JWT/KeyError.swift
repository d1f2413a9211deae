/// Why a file of public keys is not taken. Holds nothing of the file but key identifiers, which are public.
package enum KeyError: Error, Equatable, Sendable {
    /// Neither PEM nor JSON.
    case notAKey
    /// JSON, but no JWK Set (RFC 7517 section 5).
    case notAKeySet
    /// A private key, which has no business on a server that only verifies.
    case privateKey
    /// A PEM block of another kind than a public key.
    case otherPEM(label: String)
    /// More than one key in a PEM file, where nothing says which one a token means.
    case severalPEM
    /// An RSA key of fewer bits than RFC 7518 section 3.3 wants, or of more than OpenSSL verifies with.
    case size(bits: Int)
    /// An elliptic curve other than P-256 (RFC 7518 section 3.4).
    case curve(String)
    /// Neither RSA nor elliptic curve.
    case kind
    /// Numbers that make no key.
    case invalid
    /// A JWK Set without a key that can be used, with why each is not.
    case noUsableKey([KeySetWarning])
    /// Two keys of one `kid` (RFC 7517 section 4.5).
    case duplicateIdentifier(String)
    /// Several keys, and none has a `kid` by which a token could choose it.
    case noIdentifiers
}

extension KeyError: CustomStringConvertible {
    /// For the operator.
    package var description: String {
        switch self {
        case .notAKey: "holds neither a public key as PEM nor a JWKS"
        case .notAKeySet: "is JSON, but no JWKS (an object with an array of objects \"keys\")"
        case .privateKey: "holds a private key; only the public one belongs here (openssl pkey -pubout)"
        case .otherPEM("CERTIFICATE"):
            "holds a certificate, not a public key (openssl x509 -pubkey -noout takes it out)"
        case .otherPEM(let label): "holds a PEM block \(label), not a public key"
        case .severalPEM: "holds several keys; several go into a JWKS, each with its kid"
        case .size(let bits):
            "is an RSA key of \(bits) bits; from \(PublicKey.sizes.lowerBound) to \(PublicKey.sizes.upperBound) are taken"
        case .curve(let name): "is an elliptic curve key on \(name); only P-256 is taken"
        case .kind: "is a key that is neither RSA nor P-256"
        case .invalid: "makes no valid key"
        case .noUsableKey(let warnings):
            "holds no key that can be used" + warnings.map { "; \($0)" }.joined()
        case .duplicateIdentifier(let identifier): "holds two keys with the kid \"\(identifier)\""
        case .noIdentifiers: "holds several keys without a kid, so that no token can choose one"
        }
    }
}

/// Why one key of a JWK Set is not used.
package struct KeySetWarning: Equatable, Sendable, CustomStringConvertible {
    /// Its position in the set, counted from 1.
    package var position: Int
    /// Its `kid`, if it has one.
    package var identifier: String?
    /// What is wrong with it.
    package var reason: String

    /// For the operator.
    package var description: String {
        "key \(position)\(identifier.map { " (kid \"\($0)\")" } ?? ""): \(reason)"
    }
}
