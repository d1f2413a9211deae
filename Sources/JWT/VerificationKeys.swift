import JSON

/// The keys that a token may be signed with, of which several are valid during a rotation. A value; a copy is a pointer.
package struct VerificationKeys: Sendable {
    /// More keys without a `kid` are not accepted: each of them is tried for a token.
    static let maximumWithoutIdentifier = 16

    private enum Choice {
        /// No keys have been loaded yet.
        case none
        /// Each is tried.
        case every([VerificationKey])
        /// The token's `kid` names one; `unnamed` are those for a token without one.
        case named([[UInt8]: VerificationKey], unnamed: [VerificationKey])
    }

    private final class Storage: Sendable {
        let choice: Choice

        init(_ choice: Choice) {
            self.choice = choice
        }
    }

    private let storage: Storage
    package let count: Int

    /// Keys that will be loaded later; until then no token can be checked.
    package static let notLoaded = VerificationKeys(.none, count: 0)

    private init(_ choice: Choice, count: Int) {
        storage = Storage(choice)
        self.count = count
    }

    /// One key, whatever `kid` a token names.
    package init(_ key: VerificationKey) {
        self.init(.every([key]), count: 1)
    }

    /// Shared secrets for HS256, of which any may have signed a token.
    ///
    /// - Throws: ``JWTError/cryptography(_:)`` when OpenSSL fails.
    package init(hs256Secrets secrets: [[UInt8]]) throws(JWTError) {
        var keys: [VerificationKey] = []
        for secret in secrets { keys.append(try .hs256(secret: secret)) }
        self.init(.every(keys), count: keys.count)
    }

    /// The public keys of a file: one as PEM, a JWK Set or a JWK (RFC 7517).
    ///
    /// - Parameters:
    ///   - file: its content.
    ///   - warn: receives each key of a set that is left out.
    /// - Throws: ``KeyError``.
    package init(publicKeyFile file: [UInt8], warn: (KeySetWarning) -> Void) throws(KeyError) {
        guard Self.isJSON(file) else {
            self.init(try .publicKey(pem: file))
            return
        }
        try self.init(keySet: file, warn: warn)
    }

    /// The public keys of a JWK Set or a JWK (RFC 7517).
    ///
    /// - Parameter warn: receives each key of a set that is left out.
    /// - Throws: ``KeyError``.
    package init(keySet bytes: [UInt8], warn: (KeySetWarning) -> Void) throws(KeyError) {
        try self.init(JSONWebKeySet(bytes), warn: warn)
    }

    /// Whether a file of public keys is a JWKS or a JWK rather than PEM.
    package static func isJSON(_ file: [UInt8]) -> Bool {
        file.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
    }

    private init(_ set: JSONWebKeySet, warn: (KeySetWarning) -> Void) throws(KeyError) {
        // By bytes: strings that only look the same are different identifiers (RFC 7517 section 4.5).
        var named: [[UInt8]: PublicKey] = [:]
        var unnamed: [PublicKey] = []
        func isSame(_ first: PublicKey, _ second: PublicKey) -> Bool {
            first.algorithm == second.algorithm && first.information == second.information
        }
        for entry in set.keys {
            guard let identifier = entry.identifier else {
                if !unnamed.contains(where: { isSame($0, entry.key) }) { unnamed.append(entry.key) }
                continue
            }
            if let other = named.updateValue(entry.key, forKey: Array(identifier.utf8)), !isSame(other, entry.key) {
                throw .duplicateIdentifier(identifier)
            }
        }
        guard unnamed.count <= Self.maximumWithoutIdentifier else { throw .tooManyWithoutIdentifier(unnamed.count) }
        set.warnings.forEach(warn)
        let count = named.count + unnamed.count
        // The only key need not be named.
        let candidates = count == 1 ? Array(named.values) + unnamed : unnamed
        self.init(
            .named(named.mapValues { VerificationKey($0) }, unnamed: candidates.map { VerificationKey($0) }),
            count: count)
    }

    /// Checks algorithm and signature.
    ///
    /// - Throws: ``JWTError``.
    func verify(_ token: CompactToken, header: JSONValue) throws(JWTError) {
        let chosen: [VerificationKey]
        switch storage.choice {
        case .none: throw .noKeys
        case .every(let keys): chosen = keys
        case .named(let keys, let unnamed): chosen = try Self.choose(by: header["kid"], among: keys, or: unnamed)
        }
        // Extensions that must be understood are not (RFC 7515 section 4.1.11).
        guard header["crit"] == nil else { throw .extensions }
        var isCandidate = false
        var isSigned = false
        for key in chosen where header["alg"]?.matches(key.algorithm, orOneOfSeveral: false) == true {
            isCandidate = true
            // All of them, so that the time does not reveal which one it was.
            if try key.isSigned(token.signature, over: token.signed) { isSigned = true }
        }
        guard isCandidate else { throw .algorithm }
        guard isSigned else { throw .signature }
    }

    private static func choose(
        by identifier: JSONValue?, among keys: [[UInt8]: VerificationKey], or unnamed: [VerificationKey]
    ) throws(JWTError) -> [VerificationKey] {
        guard let identifier else {
            guard !unnamed.isEmpty else { throw .key }
            return unnamed
        }
        guard let text = identifier.string, let key = keys[Array(text.utf8)] else { throw .key }
        return [key]
    }
}
