import JWT
import LUXNotify

/// The variables of access tokens.
extension EnvironmentReader {
    /// What the claims of a token must be.
    package mutating func tokenRequirements() -> JWTVerifier.Requirements {
        JWTVerifier.Requirements(
            issuers: read(\.tokens.issuer), audiences: read(\.tokens.audience), leeway: read(\.tokens.leeway),
            maximumLifetime: read(\.tokens.maximumLifetime))
    }

    /// What does not stop the start but lets tokens in that were meant for others.
    package mutating func tokenWarnings() -> [Configuration.VariableError] {
        let requirements = tokenRequirements()
        guard requirements.issuers.isEmpty, requirements.audiences.isEmpty, tokenKeys().isKeySet else { return [] }
        return [
            Configuration.VariableError(
                variable: SettingsTable.shared.tokens.audience.description.name,
                reason:
                    "neither it nor LUX_JWT_ISSUER is set: tokens that the owner of the JWKS signs for other services"
                    + " are accepted")
        ]
    }

    /// The keys that verify them, from exactly one of four variables; files are loaded once, so that a bad file is reported at the start.
    package mutating func tokenKeys() -> TokenKeys {
        var chosen: (variable: String, keys: TokenKeys)?
        for (keyVariable, create) in Self.keyVariables {
            guard let text = read(keyVariable) else { continue }
            let variable = keyVariable.description.name
            var reasons: [String] = []
            if let chosen {
                reasons.append("must not be set beside \(chosen.variable): only one of them may be set")
            }
            var keys = TokenKeys.secrets([])
            do throws(TokenKeyError) {
                let isFetched = variable == SettingsTable.shared.tokens.keySetURL.description.name
                keys = try create(text, isFetched ? trustedRoots() : TrustedRoots())
                _ = try keys.load()
            } catch {
                reasons.append(error.description)
            }
            if !reasons.isEmpty { reject(variable, reasons.joined(separator: "; ")) }
            chosen = chosen ?? (variable, keys)
        }
        if let chosen { return chosen.keys }
        reject(
            \.tokens.secret,
            "is required: the secret that access tokens are signed with, at least 32 bytes; or LUX_JWT_SECRET_FILE,"
                + " LUX_JWT_PUBLIC_KEY, a file with a public key as PEM or a JWKS, or LUX_JWT_JWKS_URL")
        return .secrets([])
    }

    private typealias Creation = @Sendable (String, TrustedRoots) throws(TokenKeyError) -> TokenKeys

    private static let keyVariables: [(Variable<String?>, Creation)] = [
        (
            SettingsTable.shared.tokens.secret,
            { (text, _) throws(TokenKeyError) in .secrets(try TokenKeys.secrets(inVariable: text)) }
        ),
        (SettingsTable.shared.tokens.secretFile, { path, _ in .secretFile(path) }),
        (SettingsTable.shared.tokens.publicKey, { path, _ in .publicKeyFile(path) }),
        (
            SettingsTable.shared.tokens.keySetURL,
            { (url, roots) throws(TokenKeyError) in
                guard let source = KeySetSource(url, roots: roots) else {
                    throw TokenKeyError("must be an https URL without a password, or http to this machine")
                }
                return .keySetURL(source)
            }
        ),
    ]

    private mutating func trustedRoots() -> TrustedRoots {
        TrustedRoots(file: read(\.standard.certificateFile), folder: read(\.standard.certificateFolder))
    }

    /// The secret that a token for development is signed with.
    package mutating func signingSecret() -> [UInt8] {
        let keys = tokenKeys()
        do throws(TokenKeyError) {
            return try keys.signingSecret()
        } catch {
            if errors.isEmpty { reject(\.tokens.publicKey, error.description) }
            return []
        }
    }
}
