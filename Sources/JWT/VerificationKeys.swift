/// The keys that a token may be signed with, of which several are valid while one takes over from another.
package struct VerificationKeys: Sendable {
    private enum Choice {
        /// Each is tried.
        case every([VerificationKey])
        /// The token's `kid` names one; `only` is the one that it need not name.
        case named([[UInt8]: VerificationKey], only: VerificationKey?)
    }

    /// Held by reference: whoever copies the keys for one token copies a pointer.
    private final class Storage: Sendable {
        let choice: Choice

        init(_ choice: Choice) {
            self.choice = choice
        }
    }

    private let storage: Storage
    /// How many there are.
    package let count: Int

    /// One key, whatever `kid` a token names.
    package init(_ key: VerificationKey) {
        storage = Storage(.every([key]))
        count = 1
    }

    /// Shared secrets for HS256, of which any may have signed a token.
    ///
    /// - Throws: ``JWTError/cryptography(_:)`` when OpenSSL refuses.
    package init(hs256Secrets secrets: [[UInt8]]) throws(JWTError) {
        var keys: [VerificationKey] = []
        for secret in secrets { keys.append(try .hs256(secret: secret)) }
        storage = Storage(.every(keys))
        count = keys.count
    }

    /// The public keys of a file: one as PEM, or a JWK Set (RFC 7517 section 5).
    ///
    /// - Parameters:
    ///   - file: its content.
    ///   - warn: receives each key of a set that is left out, or that no token can choose.
    /// - Throws: ``KeyError``.
    package init(publicKeyFile file: [UInt8], warn: (KeySetWarning) -> Void) throws(KeyError) {
        let first = file.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        guard first == UInt8(ascii: "{") else {
            self.init(try .publicKey(pem: file))
            return
        }
        try self.init(JSONWebKeySet(file), warn: warn)
    }

    private init(_ set: JSONWebKeySet, warn: (KeySetWarning) -> Void) throws(KeyError) {
        // By bytes: strings that only look the same are different identifiers (RFC 7517 section 4.5).
        var named: [[UInt8]: VerificationKey] = [:]
        for case (_, let identifier?, let key) in set.keys {
            guard named.updateValue(VerificationKey(key), forKey: Array(identifier.utf8)) == nil else {
                throw .duplicateIdentifier(identifier)
            }
        }
        guard set.keys.count == 1 || !named.isEmpty else { throw .noIdentifiers }
        set.warnings.forEach(warn)
        for entry in set.keys where set.keys.count > 1 && entry.identifier == nil {
            warn(KeySetWarning(position: entry.position, reason: "no token can choose it: it has no kid beside others"))
        }
        let only = set.keys.count == 1 ? set.keys.first.map { VerificationKey($0.key) } : nil
        storage = Storage(.named(named, only: only))
        count = max(named.count, 1)
    }

    /// Checks algorithm and signature.
    ///
    /// - Throws: ``JWTError``.
    func verify(_ token: CompactToken, header: ClaimSet) throws(JWTError) {
        let candidates: [VerificationKey]
        switch storage.choice {
        case .every(let keys): candidates = keys
        case .named(let keys, let only): candidates = [try Self.choose(by: header["kid"], among: keys, only: only)]
        }
        // A header parameter that has to be understood is not (RFC 7515 section 4.1.11).
        guard header["crit"] == nil else { throw .extensions }
        var isSigned = false
        for key in candidates {
            guard header["alg"]?.holds(key.algorithm, orOneOfSeveral: false) == true else { throw .algorithm }
            // All of them, so that the time does not reveal which one it was.
            if try key.isSigned(token.signature, over: token.signed) { isSigned = true }
        }
        guard isSigned else { throw .signature }
    }

    private static func choose(
        by identifier: ClaimValue?, among keys: [[UInt8]: VerificationKey], only: VerificationKey?
    ) throws(JWTError) -> VerificationKey {
        guard let identifier else {
            guard let only else { throw .key }
            return only
        }
        guard let text = identifier.text, let key = keys[Array(text.utf8)] else { throw .key }
        return key
    }
}
