import JSON

/// The public keys of a JWK Set (RFC 7517 section 5), with why others of it are left out.
struct JSONWebKeySet {
    /// Each key with its `kid` and its position, counted from 1.
    private(set) var keys: [(position: Int, identifier: String?, key: PublicKey)] = []
    private(set) var warnings: [KeySetWarning] = []

    /// Members that only private keys have (RFC 7518 sections 6.2.2 and 6.3.2).
    private static let privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth"]

    /// Reads a set. Keys that cannot be used are left out, as section 5 wants it.
    ///
    /// - Throws: ``KeyError``, when there is none that can be used, too.
    init(_ bytes: [UInt8]) throws(KeyError) {
        for (index, members) in try Self.members(bytes).enumerated() {
            let kind = members["kty"]?.text
            guard kind == "oct" || !Self.privateMembers.contains(where: { members[$0] != nil }) else {
                throw .privateKey
            }
            do throws(Unusable) {
                keys.append((index + 1, members["kid"]?.text, try Self.key(members)))
            } catch {
                warnings.append(
                    KeySetWarning(position: index + 1, identifier: members["kid"]?.text, reason: error.reason))
            }
        }
        guard !keys.isEmpty else { throw .noUsableKey(warnings) }
    }

    private struct Unusable: Error {
        let reason: String
    }

    private static func members(_ bytes: [UInt8]) throws(KeyError) -> [ClaimSet] {
        var sets: [ClaimSet]?
        do throws(JSONError) {
            try JSONReader.read(bytes) { (reader) throws(JSONError) in
                try reader.object { (name, reader) throws(JSONError) in
                    guard name == "keys", try reader.kind() == .array else { return try reader.skipValue() }
                    var elements: [ClaimSet] = []
                    try reader.array { (reader) throws(JSONError) in elements.append(try ClaimSet(&reader)) }
                    sets = elements
                }
            }
        } catch {
            throw .notAKeySet
        }
        guard let sets else { throw .notAKeySet }
        return sets
    }

    /// The key, if what the set says about it (RFC 7517 sections 4.1 to 4.5) lets it verify with one of the two algorithms.
    private static func key(_ members: ClaimSet) throws(Unusable) -> PublicKey {
        guard let kind = members["kty"]?.text else { throw Unusable(reason: "kty is missing") }
        guard members["kid"].map({ $0.text != nil }) ?? true else { throw Unusable(reason: "kid is no string") }
        guard members["use"].map({ $0.holds("sig", orOneOfSeveral: false) }) ?? true else {
            throw Unusable(reason: "use is not sig")
        }
        guard members["key_ops"].map({ $0.holds("verify", orOneOfSeveral: true) }) ?? true else {
            throw Unusable(reason: "key_ops does not hold verify")
        }
        let information: [UInt8]
        switch kind {
        case "RSA":
            guard let modulus = bytes(members["n"]), let exponent = bytes(members["e"]) else {
                throw Unusable(reason: "n or e is missing or no base64url")
            }
            information = SubjectPublicKeyInfo.rsa(modulus: modulus, exponent: exponent)
        case "EC":
            guard members["crv"]?.holds("P-256", orOneOfSeveral: false) == true else {
                throw Unusable(reason: "crv is not P-256")
            }
            guard let x = bytes(members["x"]), let y = bytes(members["y"]), x.count == 32, y.count == 32 else {
                throw Unusable(reason: "x or y is not 32 bytes of base64url")
            }
            information = SubjectPublicKeyInfo.p256(x: x, y: y)
        default: throw Unusable(reason: "kty is neither RSA nor EC")
        }
        let key: PublicKey
        do throws(KeyError) {
            key = try PublicKey(information: information)
        } catch {
            throw Unusable(reason: error.description)
        }
        guard members["alg"].map({ $0.holds(key.algorithm.rawValue, orOneOfSeveral: false) }) ?? true else {
            throw Unusable(reason: "alg is not \(key.algorithm.rawValue)")
        }
        return key
    }

    private static func bytes(_ value: ClaimValue?) -> [UInt8]? {
        value?.text.flatMap { Base64URL.decode($0.utf8) }
    }
}
