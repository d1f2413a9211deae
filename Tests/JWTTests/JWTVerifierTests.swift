import Bytes
import OpenSSL
import Testing

@testable import JWT

/// Section by section what a token has to be; the clock is passed in.
@Suite struct JWTVerifierTests {
    static let secret = Array("a secret of more than thirty-two bytes".utf8)
    static let now = 1_700_000_000

    private func verify(
        _ token: String, secret: [UInt8] = secret, issuer: String? = nil, audience: String? = nil, leeway: Int = 0,
        lifetime: Int? = nil, now: Int = now
    ) throws(JWTError) -> Int64 {
        let verifier = JWTVerifier(
            key: try .hs256(secret: secret),
            .init(
                issuers: issuer?.split(separator: ",").map(String.init) ?? [],
                audiences: audience?.split(separator: ",").map(String.init) ?? [], leeway: leeway,
                maximumLifetime: lifetime))
        return try verifier.verify(token.utf8, now: now) { $0.integer("sub") }
    }

    /// A token with a right signature over any header and payload.
    private func token(
        header: String = #"{"alg":"HS256","typ":"JWT"}"#, payload: String, secret: [UInt8] = secret
    ) throws -> String {
        let signed = Base64URL.encode(header.utf8) + "." + Base64URL.encode(payload.utf8)
        return signed + "." + Base64URL.encode(try HMACSHA256(key: secret).authenticationCode(Array(signed.utf8)))
    }

    @Test func `the example of RFC 7515 appendix A.1 is verified, and expired since 2011`() throws {
        let key = try #require(
            Base64URL.decode(
                "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow".utf8))
        let token =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
            + "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
            + "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let verifier = JWTVerifier(key: try .hs256(secret: key), .init(issuers: ["joe"]))
        #expect(try verifier.verify(token.utf8, now: 1_300_819_379) { _ in true })
        #expect(throws: JWTError.expired) { try verifier.verify(token.utf8, now: 1_300_819_380) { _ in true } }
    }

    @Test func `verifies what the signer creates`() throws {
        let signer = try JWTSigner(hs256Secret: Self.secret)
        #expect(try verify(signer.sign(claims: #"{"sub":"7","exp":1700000001}"#)) == 7)
    }

    struct ClaimCase: Sendable, CustomTestStringConvertible {
        var payload: String
        var error: JWTError?
        var testDescription: String { payload }

        init(_ payload: String, _ error: JWTError?) {
            self.payload = payload
            self.error = error
        }
    }

    @Test(arguments: [
        ClaimCase(#"{"sub":"7","exp":1700000001}"#, nil),
        ClaimCase(#"{"sub":7,"exp":1700000000.5}"#, nil),
        ClaimCase(#"{"sub":"7","exp":1700000000}"#, .expired),
        ClaimCase(#"{"sub":"7","exp":1.7e9}"#, .expired),
        ClaimCase(#"{"sub":"7","exp":-1}"#, .expired),
        ClaimCase(#"{"sub":"7","exp":1e400}"#, nil),
        ClaimCase(#"{"sub":"7"}"#, .claim("exp")),
        ClaimCase(#"{"sub":"7","exp":"1700000001"}"#, .claim("exp")),
        ClaimCase(#"{"sub":"7","exp":null}"#, .claim("exp")),
        ClaimCase(#"{"sub":"7","exp":1700000001,"nbf":1700000000}"#, nil),
        ClaimCase(#"{"sub":"7","exp":1700000009,"nbf":1700000001}"#, .notYetValid),
        ClaimCase(#"{"sub":"7","exp":1700000009,"nbf":"1700000000"}"#, .claim("nbf")),
        ClaimCase(#"{"sub":"7","exp":1699999999,"nbf":1700000001}"#, .notYetValid),
        ClaimCase(#"{"exp":1700000001}"#, .unreadable),
        ClaimCase(#"{"exp":1699999999}"#, .unreadable),
        ClaimCase(#"{"sub":"seven","exp":1700000001}"#, .unreadable),
        ClaimCase(#"{"sub":" 7","exp":1700000001}"#, .unreadable),
        ClaimCase(#"{"sub":"+7","exp":1700000001}"#, .unreadable),
        ClaimCase(#"{"sub":"","exp":1700000001}"#, .unreadable),
        ClaimCase(#"{"sub":7.0,"exp":1700000001}"#, .unreadable),
        ClaimCase(#"{"sub":"9223372036854775808","exp":1700000001}"#, .unreadable),
        ClaimCase(#"{"sub":["7"],"exp":1700000001}"#, .unreadable),
        ClaimCase(#"{"sub":{"id":7},"exp":1700000001}"#, .unreadable),
        ClaimCase(#"{"sub":true,"exp":1700000001}"#, .unreadable),
        ClaimCase(#"{"sub":"9","sub":"7","exp":1,"exp":1700000001}"#, nil),
        ClaimCase(#"[]"#, .malformed), ClaimCase("", .malformed), ClaimCase("7", .malformed),
        ClaimCase(#"{"sub":"7","exp":1700000001"#, .malformed),
        ClaimCase(#"{"sub":"7","exp":1700000001} "#, nil),
        ClaimCase(#"{"sub":"7","exp":1700000001}x"#, .malformed),
        ClaimCase(#"{"sub":"\uD800","exp":1700000001}"#, .malformed),
    ]) func `claims`(_ test: ClaimCase) throws {
        let token = try token(payload: test.payload)
        if let error = test.error {
            #expect(throws: error) { try verify(token) }
        } else {
            #expect(try verify(token) == 7)
        }
    }

    @Test(
        arguments: [
            ("HS256", nil), ("none", .algorithm), ("None", .algorithm), ("hs256", .algorithm), ("HS384", .algorithm),
            ("HS512", .algorithm), ("RS256", .algorithm), ("ES256", .algorithm), ("", .algorithm),
        ] as [(String, JWTError?)]) func `only the key's own algorithm is accepted`(_ name: String, _ error: JWTError?)
        throws
    {
        let token = try token(header: #"{"alg":"\#(name)"}"#, payload: #"{"sub":"7","exp":1700000001}"#)
        if let error { #expect(throws: error) { try verify(token) } } else { #expect(try verify(token) == 7) }
    }

    @Test(
        arguments: [
            (#"{}"#, .algorithm), (#"{"alg":null}"#, .algorithm), (#"{"alg":["HS256"]}"#, .algorithm),
            (#"{"alg":"HS256","crit":["exp"]}"#, .extensions), (#"{"alg":"HS256","crit":[]}"#, .extensions),
            (#"{"alg":"none","alg":"HS256"}"#, nil), (#"{"alg":"HS256","alg":"none"}"#, .algorithm), ("[]", .malformed),
            ("", .malformed), (#"{"alg":"HS256","kid":"any","typ":"at+jwt"}"#, nil),
        ] as [(String, JWTError?)]) func `the header`(_ header: String, _ error: JWTError?) throws
    {
        let token = try token(header: header, payload: #"{"sub":"7","exp":1700000001}"#)
        if let error { #expect(throws: error) { try verify(token) } } else { #expect(try verify(token) == 7) }
    }

    @Test func `a token without a signature is rejected whatever its header says`() throws {
        for header in [#"{"alg":"none"}"#, #"{"alg":"HS256"}"#] {
            let signed = Base64URL.encode(header.utf8) + "." + Base64URL.encode(#"{"sub":"7","exp":1700000001}"#.utf8)
            for token in [signed, signed + "."] { #expect(throws: JWTError.self) { try verify(token) } }
        }
    }

    @Test func `another key's signature is rejected, of an expired token too`() throws {
        for expiration in [1_700_000_001, 1] {
            let token = try token(
                payload: #"{"sub":"7","exp":\#(expiration)}"#, secret: Array("another secret of thirty-two bytes".utf8))
            #expect(throws: JWTError.signature) { try verify(token) }
        }
    }

    @Test func `rejects an exp that lies further ahead than the maximum lifetime`() throws {
        for (expiration, leeway, error) in [
            ("1700003600", 0, nil), ("1700003601", 0, .lifetime), ("1700003600.5", 0, .lifetime),
            ("1700003630", 30, nil), ("1700003631", 30, .lifetime), ("1700003600000", 0, .lifetime),
            ("1e308", 0, .lifetime), ("1e400", 0, .lifetime), ("1700000000", 0, .expired), ("-1", 0, .expired),
        ] as [(String, Int, JWTError?)] {
            let token = try token(payload: #"{"sub":"7","exp":\#(expiration)}"#)
            if let error {
                #expect(throws: error, "\(expiration)") { try verify(token, leeway: leeway, lifetime: 3_600) }
            } else {
                #expect(try verify(token, leeway: leeway, lifetime: 3_600) == 7, "\(expiration)")
            }
            if error == .lifetime { #expect(try verify(token) == 7, "\(expiration) without a maximum") }
        }
    }

    @Test func `accepts any of several issuers and audiences`() throws {
        for (claims, error) in [
            (#""iss":"a","aud":"x""#, nil), (#""iss":"b","aud":["z","y"]"#, nil), (#""iss":"c","aud":"x""#, .issuer),
            (#""iss":"a,b","aud":"x""#, .issuer), (#""iss":["a"],"aud":"x""#, .issuer), (#""aud":"x""#, .issuer),
            (#""iss":"a","aud":["z"]"#, .audience), (#""iss":"a","aud":"x,y""#, .audience), (#""iss":"a""#, .audience),
            (#""iss":"a","aud":null"#, .audience),
        ] as [(String, JWTError?)] {
            let token = try token(payload: #"{"sub":"7","exp":1700000001,\#(claims)}"#)
            if let error {
                #expect(throws: error, "\(claims)") { try verify(token, issuer: "a,b", audience: "x,y") }
            } else {
                #expect(try verify(token, issuer: "a,b", audience: "x,y") == 7, "\(claims)")
            }
        }
    }

    @Test func `accepts no truncated, lengthened or changed token`() throws {
        let good = Array(try token(payload: #"{"sub":"7","exp":1700000001}"#).utf8)
        func takes(_ bytes: [UInt8]) throws -> Bool {
            let verifier = JWTVerifier(key: try .hs256(secret: Self.secret))
            return (try? verifier.verify(bytes, now: Self.now) { $0.integer("sub") }) != nil
        }
        #expect(try takes(good))
        for count in good.indices { #expect(try !takes(Array(good[..<count])), "the first \(count)") }
        for byte in UInt8.min...UInt8.max { #expect(try !takes(good + [byte]), "and \(byte)") }
        for index in good.indices {
            for byte in [good[index] ^ 1, 0x2E, 0x00, 0xFF, 0x3D, 0x41] where byte != good[index] {
                var changed = good
                changed[index] = byte
                #expect(try !takes(changed), "\(byte) at \(index)")
            }
        }
    }

    @Test(arguments: ["", ".", "..", "...", "a.b", "a.b.c.d", "a.b.c", "e30=.e30.AA", "🙂.🙂.🙂"])
    func `what has no three parts of base64url is malformed`(_ token: String) {
        #expect(throws: JWTError.malformed) { try verify(token) }
    }

    @Test func `rejects a token of more than 8 KiB unread`() throws {
        func token(_ padding: Int) throws -> String {
            try self.token(payload: #"{"sub":"7","exp":1700000001,"x":"\#(String(repeating: "x", count: padding))"}"#)
        }
        #expect(try verify(token(6_000)) == 7)
        #expect(throws: JWTError.malformed) { try verify(token(6_200)) }
    }

    @Test(
        arguments: [
            (#""iss":"a","aud":"b""#, nil), (#""iss":"a","aud":["x","b"]"#, nil), (#""iss":"A","aud":"b""#, .issuer),
            (#""aud":"b""#, .issuer), (#""iss":["a"],"aud":"b""#, .issuer), (#""iss":"a""#, .audience),
            (#""iss":"a","aud":"c""#, .audience), (#""iss":"a","aud":[]"#, .audience),
            (#""iss":"a","aud":["b",1]"#, .audience),
            (#""iss":"a","aud":{"b":1}"#, .audience),
        ] as [(String, JWTError?)]) func `requires issuer and audience where they are configured`(
            _ claims: String, _ error: JWTError?
        ) throws
    {
        for expiration in [1_700_000_001, 1] {
            let token = try token(payload: #"{"sub":"7","exp":\#(expiration),\#(claims)}"#)
            let expected = error ?? (expiration == 1 ? .expired : nil)
            if let expected {
                #expect(throws: expected) { try verify(token, issuer: "a", audience: "b") }
            } else {
                #expect(try verify(token, issuer: "a", audience: "b") == 7)
            }
        }
    }

    @Test func `clocks may differ by the leeway and no more`() throws {
        let token = try token(payload: #"{"sub":"7","nbf":1700000000,"exp":1700000100}"#)
        for (now, taken) in [
            (1_699_999_969, false), (1_699_999_970, true), (1_700_000_129, true), (1_700_000_130, false),
        ] {
            #expect(((try? verify(token, leeway: 30, now: now)) != nil) == taken, "\(now)")
        }
    }

    @Test func `an empty key is rejected`() {
        #expect(throws: JWTError.self) { try VerificationKey.hs256(secret: []) }
    }
}
