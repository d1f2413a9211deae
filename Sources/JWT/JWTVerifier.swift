/// Checks access tokens (RFC 7519) signed with one of its keys.
package struct JWTVerifier: Sendable {
    /// What tokens may be signed with.
    package var keys: VerificationKeys
    private let issuer: String?
    private let audience: String?
    private let leeway: Double

    /// Creates a verifier.
    ///
    /// - Parameters:
    ///   - issuer: what `iss` has to be; `nil` to take any.
    ///   - audience: what `aud` has to hold; `nil` to take any.
    ///   - leeway: seconds by which clocks may differ.
    package init(keys: VerificationKeys, issuer: String? = nil, audience: String? = nil, leeway: Int = 0) {
        self.keys = keys
        self.issuer = issuer
        self.audience = audience
        self.leeway = Double(leeway)
    }

    package init(key: VerificationKey, issuer: String? = nil, audience: String? = nil, leeway: Int = 0) {
        self.init(keys: VerificationKeys(key), issuer: issuer, audience: audience, leeway: leeway)
    }

    /// Checks a token: form, key, algorithm, signature over the bytes as received, then the claims, `exp` last.
    ///
    /// - Parameters:
    ///   - token: the compact serialization.
    ///   - now: seconds since the Unix epoch.
    ///   - read: takes what the caller needs from the claims; `nil` makes the token a wrong one.
    /// - Returns: what `read` took.
    /// - Throws: ``JWTError``; `.expired` only when nothing else is wrong.
    package func verify<T>(
        _ token: some Collection<UInt8>, now: Int, read: (Claims) -> T?
    ) throws(JWTError) -> T {
        let parts = try CompactToken(token)
        let header = try ClaimSet(parts.header)
        try keys.verify(parts, header: header)
        let claims = try ClaimSet(parts.payload)
        let now = Double(now)
        guard case .number(let expiration, _)? = claims["exp"] else { throw .claim("exp") }
        switch claims["nbf"] {
        case nil: break
        case .number(let notBefore, _)?: guard notBefore <= now + leeway else { throw .notYetValid }
        default: throw .claim("nbf")
        }
        if let issuer, claims["iss"]?.holds(issuer, orOneOfSeveral: false) != true { throw .issuer }
        if let audience, claims["aud"]?.holds(audience, orOneOfSeveral: true) != true { throw .audience }
        guard let value = read(Claims(set: claims)) else { throw .unreadable }
        guard now < expiration + leeway else { throw .expired }
        return value
    }
}
