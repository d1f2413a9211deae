/// Why a token is not taken. Callers tell ``expired`` apart; the others are for the log.
public enum JWTError: Error, Equatable, Sendable {
    /// Not three parts of strict base64url with JSON objects in the first two.
    case malformed
    /// The header names another algorithm than the key's, or extensions that must be understood (`crit`).
    case algorithm
    /// The header names a key (`kid`) that there is not, or none where there are several.
    case key
    /// The signature is not the key's.
    case signature
    /// A registered claim is missing or of a wrong type.
    case claims
    /// `nbf` lies ahead.
    case notYetValid
    /// `iss` is not the one that is wanted.
    case issuer
    /// `aud` does not hold the one that is wanted.
    case audience
    /// All else is right, and `exp` is past.
    case expired
    /// OpenSSL refused; a fault of the key or of the system.
    case cryptography(String)
}
