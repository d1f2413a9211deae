import JSON

/// Checks access tokens (RFC 7519) signed with one of its keys. A value; a copy is cheap.
package struct JWTVerifier: Sendable {
    /// The requirements on the claims of a token, in addition to its signature.
    package struct Requirements: Sendable {
        /// `iss` must be one of these; empty to accept any.
        package var issuers: [String]
        /// `aud` must contain one of these; empty to accept any.
        package var audiences: [String]
        /// Seconds by which clocks may differ.
        package var leeway: Int
        /// Seconds by which `exp` may lie ahead; `nil` for any number. An `exp` in milliseconds would never pass.
        package var maximumLifetime: Int?

        package init(issuers: [String] = [], audiences: [String] = [], leeway: Int = 0, maximumLifetime: Int? = nil) {
            self.issuers = issuers
            self.audiences = audiences
            self.leeway = leeway
            self.maximumLifetime = maximumLifetime
        }
    }

    /// What tokens may be signed with.
    package var keys: VerificationKeys
    private let requirements: Requirements

    package init(keys: VerificationKeys, _ requirements: Requirements = Requirements()) {
        self.keys = keys
        self.requirements = requirements
    }

    package init(key: VerificationKey, _ requirements: Requirements = Requirements()) {
        self.init(keys: VerificationKeys(key), requirements)
    }

    /// Checks a token: form, key, algorithm, signature over the bytes as received, then the claims, `exp` last.
    ///
    /// - Parameters:
    ///   - token: the compact serialization.
    ///   - now: seconds since the Unix epoch.
    ///   - read: takes what the caller needs from the claims; `nil` rejects the token.
    /// - Returns: what `read` returned.
    /// - Throws: ``JWTError``; `.expired` only when nothing else is wrong.
    package func verify<T>(
        _ token: some Collection<UInt8>, now: Int, read: (Claims) -> T?
    ) throws(JWTError) -> T {
        let parts = try CompactToken(token)
        let header = try JSONValue(part: parts.header)
        try keys.verify(parts, header: header)
        let claims = try JSONValue(part: parts.payload)
        let (now, leeway) = (Double(now), Double(requirements.leeway))
        guard case .number(let end)? = claims["exp"] else { throw .claim("exp") }
        let expiration = end.double
        switch claims["nbf"] {
        case nil: break
        case .number(let notBefore)?: guard notBefore.double <= now + leeway else { throw .notYetValid }
        default: throw .claim("nbf")
        }
        guard Self.matches(claims["iss"], requirements.issuers, orOneOfSeveral: false) else { throw .issuer }
        guard Self.matches(claims["aud"], requirements.audiences, orOneOfSeveral: true) else { throw .audience }
        if let lifetime = requirements.maximumLifetime {
            guard expiration <= now + leeway + Double(lifetime) else { throw .lifetime }
        }
        guard let value = read(Claims(members: claims)) else { throw .unreadable }
        guard now < expiration + leeway else { throw .expired }
        return value
    }

    private static func matches(_ claim: JSONValue?, _ expected: [String], orOneOfSeveral isList: Bool) -> Bool {
        expected.isEmpty || expected.contains { claim?.matches($0, orOneOfSeveral: isList) == true }
    }
}
