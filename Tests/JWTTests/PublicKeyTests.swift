import Bytes
import LUXTestSupport
import Testing

@testable import JWT

/// Tokens signed with public keys.
@Suite struct PublicKeyTests {
    static let now = 1_700_000_000
    static let claims = #"{"sub":"7","exp":1700000001}"#

    static let rsa = Result { try SigningKey(.rsa(bits: 2_048)) }
    static let curve = Result { try SigningKey(.curve("P-256")) }

    static func user(_ token: String, _ keys: VerificationKeys) throws(JWTError) -> Int64 {
        try JWTVerifier(keys: keys).verify(token.utf8, now: now) { $0.integer("sub") }
    }

    static func keys(_ file: String) throws(KeyError) -> VerificationKeys {
        try VerificationKeys(publicKeyFile: Array(file.utf8)) { _ in }
    }

    static func keys(_ key: SigningKey) throws -> VerificationKeys {
        try VerificationKeys(publicKeyFile: key.publicPEM()) { _ in }
    }

    /// The keys of RFC 7515 appendices A.2.1 and A.3.1, and what follows the header in both examples.
    enum Example {
        static let rsa =
            #"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt"#
            + "0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
            + "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud"
            + #"F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#
        static let curve =
            #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
            + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#
        static let payload =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        static let rsaToken =
            "eyJhbGciOiJSUzI1NiJ9." + payload
            + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb"
            + "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383"
            + "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
            + "wlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        static let curveToken =
            "eyJhbGciOiJFUzI1NiJ9." + payload
            + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    }

    @Test(arguments: [(Example.rsa, Example.rsaToken), (Example.curve, Example.curveToken)])
    func `the examples of RFC 7515 appendices A.2 and A.3 are verified, and expired since 2011`(
        _ key: String, _ token: String
    ) throws {
        let verifier = JWTVerifier(keys: try Self.keys(SigningKey.set(key)), .init(issuers: ["joe"]))
        #expect(try verifier.verify(token.utf8, now: 1_300_819_379) { _ in true })
        #expect(throws: JWTError.expired) { try verifier.verify(token.utf8, now: 1_300_819_380) { _ in true } }
    }

    @Test func `a key verifies its own tokens, as PEM and as JWKS, and no other's`() throws {
        let (rsa, curve) = (try Self.rsa.get(), try Self.curve.get())
        let pkcs1 = rsa.folder + "/pkcs1.pem"
        try SigningKey.openssl(["rsa", "-in", rsa.privateFile, "-RSAPublicKey_out", "-out", pkcs1])
        let form = try VerificationKeys(publicKeyFile: PEMFile.read(pkcs1)) { _ in }
        for (key, other, keys) in [
            (rsa, curve, try Self.keys(rsa)), (rsa, curve, form),
            (rsa, curve, try Self.keys(SigningKey.set(rsa.jwk()))),
            (curve, rsa, try Self.keys(curve)), (curve, rsa, try Self.keys(SigningKey.set(curve.jwk()))),
        ] {
            #expect(try Self.user(key.token(Self.claims), keys) == 7)
            #expect(throws: JWTError.algorithm) { try Self.user(other.token(Self.claims), keys) }
        }
        for (kind, key) in [(SigningKey.Kind.rsa(bits: 2_048), rsa), (.curve("P-256"), curve)] {
            let stranger = try SigningKey(kind)
            #expect(throws: JWTError.signature) { try Self.user(stranger.token(Self.claims), Self.keys(key)) }
        }
    }

    @Test func `no other signature is accepted, whatever its length`() throws {
        for key in [try Self.rsa.get(), try Self.curve.get()] {
            let keys = try Self.keys(key)
            let signed =
                Base64URL.encode(#"{"alg":"\#(key.algorithm)"}"#.utf8) + "." + Base64URL.encode(Self.claims.utf8)
            let good = try key.sign(signed)
            func takes(_ signature: [UInt8]) -> Bool {
                (try? Self.user(signed + "." + Base64URL.encode(signature), keys)) != nil
            }
            #expect(takes(good))
            for index in good.indices {
                var changed = good
                changed[index] ^= 1 << UInt8(index % 8)
                #expect(!takes(changed), "byte \(index)")
            }
            for wrong in [
                [], [0] + good, good + [0], Array(good.dropLast()), Array(good.dropFirst()), good + good,
                Array(good.reversed()), [UInt8](repeating: 0, count: good.count),
                [UInt8](repeating: 0xFF, count: good.count), [UInt8](repeating: 0, count: good.count - 1) + [1],
            ] { #expect(!takes(wrong), "\(wrong.count) bytes") }
        }
        // RFC 7518 section 3.4: not the form that OpenSSL has.
        let curve = try Self.curve.get()
        let signed = Base64URL.encode(#"{"alg":"ES256"}"#.utf8) + "." + Base64URL.encode(Self.claims.utf8)
        let token = signed + "." + Base64URL.encode(try curve.opensslSignature(signed))
        #expect(throws: JWTError.signature) { try Self.user(token, Self.keys(curve)) }
    }

    @Test func `verifies signatures with leading zeros in R or S`() throws {
        let curve = try Self.curve.get()
        let keys = try Self.keys(curve)
        var seen = [false, false]
        // One number of 256 begins with a zero byte.
        for number in 0..<5_000 where seen.contains(false) {
            let claims = #"{"sub":"7","exp":1700000001,"jti":\#(number)}"#
            let token = try curve.token(claims)
            let signature = try #require(Base64URL.decode(token.utf8.split(separator: UInt8(ascii: "."))[2]))
            guard signature[0] == 0 || signature[32] == 0 else { continue }
            seen = [seen[0] || signature[0] == 0, seen[1] || signature[32] == 0]
            #expect(try Self.user(token, keys) == 7)
        }
        #expect(seen == [true, true])
    }

    @Test func `the token does not choose the algorithm (RFC 8725 section 3.1)`() throws {
        for key in [try Self.rsa.get(), try Self.curve.get()] {
            let keys = try Self.keys(key)
            for name in [
                "none", "None", "", "HS256", "RS384", "RS512", "PS256", "PS384", "EdDSA", "ES384", "ES256K", "rs256",
                "es256",
            ] {
                let token = try key.token(Self.claims, header: #"{"alg":"\#(name)"}"#)
                #expect(throws: JWTError.algorithm, "\(name)") { try Self.user(token, keys) }
            }
            for header in ["{}", #"{"alg":["\#(key.algorithm)"]}"#, #"{"alg":"\#(key.algorithm)","crit":["exp"]}"#] {
                let token = try key.token(Self.claims, header: header)
                #expect(throws: header.contains("crit") ? JWTError.extensions : .algorithm, "\(header)") {
                    try Self.user(token, keys)
                }
            }
            // The public key as the secret of an HMAC.
            let signer = try JWTSigner(hs256Secret: key.publicPEM())
            #expect(throws: JWTError.algorithm) { try Self.user(signer.sign(claims: Self.claims), keys) }
            let confused = Token.make(
                Self.claims, header: #"{"alg":"\#(key.algorithm)"}"#,
                secret: String(decoding: try key.publicPEM(), as: UTF8.self))
            #expect(throws: JWTError.signature) { try Self.user(confused, keys) }
            // And the other way round: a public key's token where a secret is the key.
            let secret = try VerificationKeys(hs256Secrets: [key.publicPEM()])
            #expect(throws: JWTError.algorithm) { try Self.user(key.token(Self.claims), secret) }
        }
    }

    @Test func `verifies with the algorithm of the key and no other`() throws {
        let rsa = try Self.rsa.get()
        var signers = [try Self.curve.get(), try SigningKey(.curve("P-384")), try SigningKey(.other("ED25519"))]
        for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
            var signer = rsa
            signer.algorithm = algorithm
            signers.append(signer)
        }
        for signer in signers {
            let named = try Self.keys(SigningKey.set(signer.jwk(nil, #","alg":"\#(signer.algorithm)""#)))
            #expect(try Self.user(signer.token(Self.claims), named) == 7, "\(signer.algorithm)")
            let signed =
                Base64URL.encode(#"{"alg":"\#(signer.algorithm)"}"#.utf8) + "." + Base64URL.encode(Self.claims.utf8)
            let good = try signer.sign(signed)
            for wrong in [Array(good.dropLast()), good + [0], good.dropLast() + [good.last.map { $0 ^ 1 } ?? 0]] {
                #expect(throws: JWTError.signature) {
                    try Self.user(signed + "." + Base64URL.encode(wrong), named)
                }
            }
            for other in signers where other.algorithm != signer.algorithm {
                #expect(throws: JWTError.algorithm) { try Self.user(other.token(Self.claims), named) }
                // The right name and another algorithm's signature.
                let header = #"{"alg":"\#(signer.algorithm)"}"#
                #expect(throws: JWTError.signature, "\(other.algorithm) as \(signer.algorithm)") {
                    try Self.user(other.token(Self.claims, header: header), named)
                }
            }
            if !["RS384", "RS512", "PS256", "PS384", "PS512"].contains(signer.algorithm) {
                #expect(try Self.user(signer.token(Self.claims), Self.keys(signer)) == 7, "as PEM")
                #expect(try Self.user(signer.token(Self.claims), Self.keys(SigningKey.set(signer.jwk()))) == 7)
            }
        }
    }

    @Test func `any of several secrets may have signed a token`() throws {
        let secrets = ["first", "second", "third"].map { Array("\($0) secret of more than thirty-two bytes".utf8) }
        let keys = try VerificationKeys(hs256Secrets: secrets)
        for secret in secrets {
            #expect(try Self.user(JWTSigner(hs256Secret: secret).sign(claims: Self.claims), keys) == 7)
        }
        let fewer = try VerificationKeys(hs256Secrets: Array(secrets[..<2]))
        let token = try JWTSigner(hs256Secret: secrets[2]).sign(claims: Self.claims)
        #expect(throws: JWTError.signature) { try Self.user(token, fewer) }
        #expect(throws: JWTError.self) { try VerificationKeys(hs256Secrets: [[]]) }
    }
}
