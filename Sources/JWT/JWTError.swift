import OpenSSL

/// Reasons for rejecting a token. Callers handle ``expired`` and ``key`` separately; `description` is for the log and
/// contains nothing of the token.
package enum JWTError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Not three parts of strict base64url with JSON objects in the first two.
    case malformed
    /// The header names another algorithm than the key's.
    case algorithm
    /// The header names extensions that must be understood (`crit`).
    case extensions
    /// The header names a key (`kid`) that does not exist, or none where each has a name.
    case key
    /// No keys have been loaded yet.
    case noKeys
    /// The signature is by none of the keys.
    case signature
    /// The registered claim of this name is missing or of a wrong type.
    case claim(String)
    /// The caller could not read what it needs from the claims.
    case unreadable
    /// `nbf` lies ahead.
    case notYetValid
    /// `iss` is none of the expected ones.
    case issuer
    /// `aud` contains none of the expected ones.
    case audience
    /// `exp` lies further ahead than the maximum lifetime.
    case lifetime
    /// All else is right, and `exp` is past.
    case expired
    /// OpenSSL failed: an error of the key or of the system.
    case cryptography(String)

    /// Which check has failed.
    package var description: String {
        switch self {
        case .malformed: "malformed: not three parts of base64url with JSON objects in them"
        case .algorithm: "algorithm: alg is not that of the key"
        case .extensions: "crit: it asks for extensions of JWS"
        case .key: "kid: no key has it, or there are several keys and it is missing"
        case .noKeys: "keys: none have been loaded yet"
        case .signature: "signature: by none of the keys"
        case .claim(let name): "\(name): missing or of a wrong type"
        case .unreadable: "claims: a required one cannot be read"
        case .notYetValid: "nbf: not valid yet"
        case .issuer: "iss: another issuer, or none"
        case .audience: "aud: another audience, or none"
        case .lifetime: "exp: further ahead than the maximum lifetime"
        case .expired: "exp: expired"
        case .cryptography(let reason): "cryptography: \(reason)"
        }
    }
}

extension JWTError {
    /// Runs a computation of OpenSSL and throws its error as ``cryptography(_:)``.
    static func wrapping<T>(_ body: () throws(OpenSSLError) -> T) throws(JWTError) -> T {
        do throws(OpenSSLError) {
            return try body()
        } catch {
            throw .cryptography(error.description)
        }
    }
}
