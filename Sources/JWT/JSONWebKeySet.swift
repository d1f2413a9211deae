import Bytes
import JSON

/// The public keys of a JWK Set (RFC 7517 section 5) or of one JWK (section 4), with why others of it are left out.
struct JSONWebKeySet {
    struct Entry {
        /// Counted from 1.
        var position: Int
        var identifier: String?
        var key: PublicKey
    }

    private(set) var keys: [Entry] = []
    private(set) var warnings: [KeySetWarning] = []

    /// Members that only private keys have (RFC 7518 sections 6.2.2 and 6.3.2).
    private static let privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth"]

    /// Reads a set. Members that are `null` count as absent, and keys that cannot be used are left out, as section 5 demands.
    ///
    /// - Throws: ``KeyError``, also when no key can be used.
    init(_ bytes: [UInt8]) throws(KeyError) {
        for (index, element) in try Self.elements(bytes).enumerated() {
            let members = element?.withoutNulls
            if let members { try Self.requirePublic(members) }
            let identifier = members?["kid"]?.string
            do throws(Unusable) {
                guard let members else { throw Unusable(reason: "it is null") }
                keys.append(Entry(position: index + 1, identifier: identifier, key: try Self.key(members)))
            } catch {
                warnings.append(KeySetWarning(position: index + 1, identifier: identifier, reason: error.reason))
            }
        }
        guard !keys.isEmpty else { throw .noUsableKey(warnings) }
    }

    private struct Unusable: Error {
        let reason: String
    }

    /// The members of each key; `nil` for an element that is `null`.
    private static func elements(_ bytes: [UInt8]) throws(KeyError) -> [JSONValue?] {
        guard let set = try? JSONValue(bytes), set.members != nil else { throw .notAKeySet }
        if let items = set["keys"]?.items {
            guard items.allSatisfy({ $0.isNull || $0.members != nil }) else { throw .notAKeySet }
            return items.map { $0.isNull ? nil : $0 }
        }
        let key = set.withoutNulls
        guard set["keys"] == nil, key["kty"] != nil || key["x5c"] != nil else { throw .notAKeySet }
        return [key]
    }

    private static func requirePublic(_ members: JSONValue) throws(KeyError) {
        guard members["kty"]?.string == "oct" || !privateMembers.contains(where: { members[$0] != nil }) else {
            throw .privateKey
        }
    }

    /// The key, if its members in the set (RFC 7517 sections 4.1 to 4.5) allow it to verify.
    private static func key(_ members: JSONValue) throws(Unusable) -> PublicKey {
        let kind = members["kty"]?.string
        guard kind != nil || members["kty"] == nil && members["x5c"] != nil else {
            throw Unusable(reason: "kty is missing")
        }
        guard members["kid"].map({ $0.string != nil }) ?? true else { throw Unusable(reason: "kid is not a string") }
        guard members["use"].map({ $0.matches("sig", orOneOfSeveral: false) }) ?? true else {
            throw Unusable(reason: "use is not sig")
        }
        guard members["key_ops"].map({ $0.matches("verify", orOneOfSeveral: true) }) ?? true else {
            throw Unusable(reason: "key_ops does not contain verify")
        }
        guard members["alg"].map({ $0.string != nil }) ?? true else { throw Unusable(reason: "alg is not a string") }
        do throws(KeyError) {
            let key = try PublicKey(information: try information(kind, members), algorithm: members["alg"]?.string)
            guard kind == nil || kind == key.kind.type else { throw KeyError.certificateKind }
            return key
        } catch {
            throw Unusable(reason: error.description)
        }
    }

    /// Its numbers, or where those are missing the key of its certificate.
    private static func information(_ kind: String?, _ members: JSONValue) throws(KeyError) -> [UInt8] {
        guard kind == nil || kind == "RSA" || kind == "EC" || kind == "OKP" else {
            throw .unusable("kty is none of RSA, EC and OKP")
        }
        let hasNumbers = ["n", "e", "x", "y"].contains { members[$0] != nil }
        if !hasNumbers, let chain = members["x5c"] { return try certifiedKey(chain) }
        switch kind {
        case "RSA":
            guard let modulus = bytes(members["n"]), let exponent = bytes(members["e"]) else {
                throw .unusable("n or e is missing or not base64url")
            }
            return SubjectPublicKeyInfo.rsa(modulus: modulus, exponent: exponent)
        case "EC":
            let curves = ["P-256": 32, "P-384": 48]
            guard let curve = members["crv"]?.string, let size = curves[curve] else {
                throw .unusable("crv is neither P-256 nor P-384")
            }
            guard let x = bytes(members["x"]), let y = bytes(members["y"]), x.count == size, y.count == size else {
                throw .unusable("x or y is not \(size) bytes of base64url")
            }
            return size == 32 ? SubjectPublicKeyInfo.p256(x: x, y: y) : SubjectPublicKeyInfo.p384(x: x, y: y)
        default:
            guard members["crv"]?.string == "Ed25519" else { throw .unusable("crv is not Ed25519") }
            guard let x = bytes(members["x"]), x.count == 32 else {
                throw .unusable("x is not 32 bytes of base64url")
            }
            return SubjectPublicKeyInfo.ed25519(x)
        }
    }

    /// The key of the first certificate, which is the key's own (RFC 7517 section 4.7).
    private static func certifiedKey(_ chain: JSONValue) throws(KeyError) -> [UInt8] {
        guard let first = chain.strings?.first,
            let certificate = Base64URL.decode(standardBase64: first)
        else { throw .unusable("x5c is not an array of base64 strings") }
        return try PublicKey.information(ofCertificate: certificate)
    }

    /// The bytes of base64url, with or without padding.
    private static func bytes(_ value: JSONValue?) -> [UInt8]? {
        value?.string.flatMap { Base64URL.decode(padded: $0) }
    }
}
