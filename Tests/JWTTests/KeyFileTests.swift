import Bytes
import Foundation
import LUXTestSupport
import Testing

@testable import JWT

enum PEMFile {
    static func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
}

/// What a file of public keys must be, and which of its keys a token means.
@Suite struct KeyFileTests {
    private static let rsa = PublicKeyTests.rsa
    private static let curve = PublicKeyTests.curve
    private static let other = Result { try SigningKey(.curve("P-256")) }

    private func rejection(of file: [UInt8]) -> KeyError? {
        do throws(KeyError) {
            _ = try VerificationKeys(publicKeyFile: file) { _ in }
            return nil
        } catch {
            return error
        }
    }

    private func rejection(of file: String) -> KeyError? { rejection(of: Array(file.utf8)) }

    @Test func `a PEM file contains one public key that is strong enough, and nothing else`() throws {
        let (rsa, curve) = (try Self.rsa.get(), try Self.curve.get())
        for (kind, error) in [
            (.rsa(bits: 1_024), .size(bits: 1_024)), (.rsa(bits: 2_040), .size(bits: 2_040)), (.rsa(bits: 3_072), nil),
            (.curve("P-384"), nil), (.other("ED25519"), nil), (.other("ED448"), .kind),
            (.curve("P-521"), .curve("secp521r1")),
            (.curve("secp256k1"), .curve("secp256k1")), (.other("X25519"), .kind),
            (.other("RSA-PSS"), .kind),
        ] as [(SigningKey.Kind, KeyError?)] {
            #expect(rejection(of: try SigningKey(kind).publicPEM()) == error, "\(kind)")
        }
        for key in [rsa, curve] {
            let pem = try key.publicPEM()
            #expect(rejection(of: pem) == nil)
            #expect(rejection(of: Array("a comment\n".utf8) + pem + Array("and one more".utf8)) == nil)
            #expect(rejection(of: try PEMFile.read(key.privateFile)) == .privateKey)
            #expect(rejection(of: try pem + PEMFile.read(key.privateFile)) == .privateKey)
            #expect(rejection(of: try pem + curve.publicPEM()) == .severalPEM)
            #expect(rejection(of: Array(pem.dropLast(40))) == .notAKey, "cut off")
        }
        let certificate = try TestCertificate().certificate
        #expect(rejection(of: try PEMFile.read(certificate)) == .otherPEM(label: "CERTIFICATE"))
        let empty = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n"
        #expect(rejection(of: empty) == .invalid)
        for text in ["", " \n", "key", "[]", "\"text\"", "\u{FEFF}{}"] {
            #expect(rejection(of: text) == .notAKey, "\(text)")
        }
    }

    @Test func `a JWKS is an object with an array of objects, or one bare key`() throws {
        for text in [
            "{", "{}", " {} ", #"{"keys":null}"#, #"{"keys":{}}"#, #"{"keys":[1]}"#, #"{"keys":[{}],}"#,
            #"{"keys":[{}]} x"#, #"{"keys":"\uD800"}"#, #"{"kty":null}"#, #"{"keys":null,"kty":"RSA"}"#,
        ] { #expect(rejection(of: text) == .notAKeySet, "\(text)") }
        #expect(rejection(of: #"{"keys":[]}"#) == .noUsableKey([]))
        #expect(
            rejection(of: #"{"keys":[null]}"#) == .noUsableKey([KeySetWarning(position: 1, reason: "it is null")]))
        #expect(rejection(of: Self.exampleKey) == nil, "a bare JWK")
        let curve = try Self.curve.get()
        #expect(rejection(of: curve.jwk("a", #","d":"AAAA""#)) == .privateKey)
        let token = try curve.token(PublicKeyTests.claims, kid: "a")
        #expect(try PublicKeyTests.user(token, PublicKeyTests.keys(curve.jwk("a"))) == 7)
        #expect(throws: JWTError.key) { try PublicKeyTests.user(token, PublicKeyTests.keys(curve.jwk("b"))) }
    }

    private static let exampleKey = PublicKeyTests.Example.curve

    @Test func `leaves out keys of a JWKS that cannot be used, and reports them`() throws {
        let (rsa, curve) = (try Self.rsa.get(), try Self.curve.get())
        let weak = try SigningKey(.rsa(bits: 1_024))
        let cases: [(key: String, reason: String)] = [
            (curve.jwk("x", #","use":"enc""#), "use is not sig"), (curve.jwk("x", #","use":1"#), "use is not sig"),
            (curve.jwk("x", #","key_ops":["sign"]"#), "key_ops does not contain verify"),
            (curve.jwk("x", #","alg":"RS256""#), "alg is not ES256"),
            (rsa.jwk("x", #","alg":"HS256""#), "alg is not RS256, RS384, RS512, PS256"),
            (rsa.jwk("x", #","alg":1"#), "alg is not a string"), (weak.jwk("x"), "is an RSA key of 1024 bits"),
            (#"{"kid":"x"}"#, "kty is missing"), (#"{"kid":"x","kty":1}"#, "kty is missing"),
            (#"{"kid":"x","kty":"oct","k":"AAAA"}"#, "kty is none of RSA, EC and OKP"),
            (#"{"kid":"x","kty":null}"#, "kty is missing"),
            (#"{"kid":"x","kty":"OKP","crv":"Ed25519","x":"AA"}"#, "x is not 32 bytes of base64url"),
            (#"{"kid":"x","kty":"OKP","crv":"X25519","x":"\#(zeros)"}"#, "crv is not Ed25519"),
            (#"{"kid":"x","kty":"EC","crv":"P-521","x":"AA","y":"AA"}"#, "crv is neither P-256 nor P-384"),
            (#"{"kid":"x","kty":"EC","crv":"P-384","x":"\#(zeros)","y":"\#(zeros)"}"#, "x or y is not 48 bytes"),
            (#"{"kid":"x","x5c":"AAAA"}"#, "x5c is not an array of base64 strings"),
            (#"{"kid":"x","kty":"RSA","x5c":["AAAA"]}"#, "x5c contains no certificate"),
            (#"{"kid":"x","kty":"EC","x5c":["\#(try Self.certificate(rsa))"]}"#, "kty is not that of the key in x5c"),
            (#"{"kid":"x","kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, "x or y is not 32 bytes"),
            (#"{"kid":"x","kty":"EC","crv":"P-256","x":"\#(zeros)","y":"\#(zeros)"}"#, "is not a valid key"),
            (#"{"kid":"x","kty":"RSA","n":"AA=","e":"AQAB"}"#, "n or e is missing"),
            (#"{"kid":"x","kty":"RSA","n":"AA"}"#, "n or e is missing"),
            (rsa.jwk("x", #","e":"AQ""#), "is not a valid key"), (rsa.jwk("x", #","e":"Ag""#), "is not a valid key"),
        ]
        for (key, reason) in cases {
            var warnings: [KeySetWarning] = []
            let file = Array(SigningKey.set(key, curve.jwk("good")).utf8)
            let keys = try VerificationKeys(publicKeyFile: file) { warnings.append($0) }
            #expect(warnings.map(\.description).count == 1, "\(key)")
            #expect(
                warnings.first?.description.hasPrefix(#"key 1 (kid "x"): \#(reason)"#) == true, "\(key): \(warnings)")
            #expect(keys.count == 1)
            #expect(try PublicKeyTests.user(curve.token(PublicKeyTests.claims), keys) == 7, "the only one left")
            #expect(rejection(of: SigningKey.set(key)) == .noUsableKey(warnings), "\(key)")
        }
        var warnings: [KeySetWarning] = []
        let file = Array(SigningKey.set(rsa.jwk("a"), rsa.jwk(nil, #","kid":7"#), "null", curve.jwk()).utf8)
        _ = try VerificationKeys(publicKeyFile: file) { warnings.append($0) }
        #expect(warnings.map(\.description) == ["key 2: kid is not a string", "key 3: it is null"])
    }

    private var zeros: String { Base64URL.encode([UInt8](repeating: 0, count: 32)) }

    /// The base64 of a certificate of its own for this key.
    private static func certificate(_ key: SigningKey) throws -> String {
        let path = key.folder + "/certificate.pem"
        try SigningKey.openssl(
            ["req", "-x509", "-key", key.privateFile, "-subj", "/CN=issuer", "-days", "1", "-out", path])
        return String(decoding: try PEMFile.read(path), as: UTF8.self)
            .split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
    }

    @Test func `reads keys as issuers write them`() throws {
        let (rsa, curve) = (try Self.rsa.get(), try Self.curve.get())
        let nulls = #","use":null,"key_ops":null,"alg":null,"d":null,"x5c":null,"x5t":null,"kid":null"#
        func padded(_ jwk: String) -> String {
            jwk.replacing(/"([nexy])":"([^"]+)"/) { match in
                let padding = String(repeating: "=", count: (4 - match.2.count % 4) % 4)
                return "\"\(match.1)\":\"\(match.2)\(padding)\""
            }
        }
        for (key, type) in [(rsa, "RSA"), (curve, "EC")] {
            let certificate = try Self.certificate(key)
            for jwk in [
                key.jwk(nil, nulls), padded(key.jwk("a")), #"{"x5c":["\#(certificate)"]}"#,
                #"{"kty":"\#(type)","x5c":["\#(certificate)","AAAA"],"n":null,"x":null,"alg":"\#(key.algorithm)"}"#,
            ] {
                let keys = try PublicKeyTests.keys(SigningKey.set(jwk))
                #expect(try PublicKeyTests.user(key.token(PublicKeyTests.claims), keys) == 7, "\(jwk)")
            }
        }
    }

    @Test func `a private key, one kid for two keys and too many keys without a kid reject a JWKS`() throws {
        let (rsa, curve) = (try Self.rsa.get(), try Self.curve.get())
        let good = rsa.jwk("good")
        #expect(rejection(of: SigningKey.set(good, curve.jwk("x", #","d":"AAAA""#))) == .privateKey)
        #expect(rejection(of: SigningKey.set(good, rsa.jwk("x", #","p":"AAAA""#))) == .privateKey)
        #expect(rejection(of: SigningKey.set(good, curve.jwk("good"))) == .duplicateIdentifier("good"))
        #expect(rejection(of: SigningKey.set(good, rsa.jwk("good", #","alg":"RS256""#))) == nil, "the same key twice")
        #expect(
            rejection(of: SigningKey.set(good, rsa.jwk("good", #","alg":"PS256""#))) == .duplicateIdentifier("good"))
        #expect(rejection(of: SigningKey.set(rsa.jwk(), curve.jwk())) == nil)
        func unnamed(_ count: Int) throws -> String {
            let keys = try (0..<count).map { _ in try SigningKey(.curve("P-256")).jwk() }
            return #"{"keys":[\#(keys.joined(separator: ","))]}"#
        }
        #expect(rejection(of: try unnamed(16)) == nil)
        #expect(rejection(of: try unnamed(17)) == .tooManyWithoutIdentifier(17))
        // The same to look at, and to Swift; not the same text.
        #expect(rejection(of: SigningKey.set(rsa.jwk("\u{E9}"), curve.jwk("e\u{301}"))) == nil)
    }

    @Test func `a token names its key by kid, and need not where there is one`() throws {
        let (rsa, curve, other) = (try Self.rsa.get(), try Self.curve.get(), try Self.other.get())
        let one = SigningKey.set(curve.jwk("a"))
        let bare = SigningKey.set(curve.jwk())
        let two = SigningKey.set(curve.jwk("a", #","use":"sig","alg":"ES256""#), other.jwk("b"))
        let mixed = SigningKey.set(rsa.jwk("a"), curve.jwk("b"), other.jwk())
        let unnamed = SigningKey.set(rsa.jwk(), curve.jwk(), other.jwk())
        let twice = SigningKey.set(curve.jwk("a"), curve.jwk("a"))
        let again = SigningKey.set(curve.jwk(), curve.jwk())
        let pem = String(decoding: try curve.publicPEM(), as: UTF8.self)
        let stranger = try SigningKey(.curve("P-256"))
        for (number, (file, signer, header, error))
            in ([
                (one, curve, #"{"alg":"ES256"}"#, nil), (one, curve, #"{"alg":"ES256","kid":"a"}"#, nil),
                (one, curve, #"{"alg":"ES256","kid":"b"}"#, .key), (one, curve, #"{"alg":"ES256","kid":""}"#, .key),
                (one, curve, #"{"alg":"ES256","kid":7}"#, .key), (one, curve, #"{"alg":"ES256","kid":null}"#, .key),
                (one, curve, #"{"alg":"ES256","kid":["a"]}"#, .key),
                (one, curve, #"{"alg":"ES256","kid":"\u0061"}"#, nil),
                (one, other, #"{"alg":"ES256","kid":"a"}"#, .signature),
                (bare, curve, #"{"alg":"ES256"}"#, nil), (bare, curve, #"{"alg":"ES256","kid":"a"}"#, .key),
                (two, curve, #"{"alg":"ES256","kid":"a"}"#, nil), (two, other, #"{"alg":"ES256","kid":"b"}"#, nil),
                (two, curve, #"{"alg":"ES256","kid":"b"}"#, .signature),
                (two, curve, #"{"alg":"ES256","kid":"c"}"#, .key),
                (two, curve, #"{"alg":"ES256"}"#, .key), (two, curve, #"{"alg":"none","kid":"a"}"#, .algorithm),
                (mixed, rsa, #"{"alg":"RS256","kid":"a"}"#, nil), (mixed, curve, #"{"alg":"ES256","kid":"b"}"#, nil),
                (mixed, curve, #"{"alg":"ES256","kid":"a"}"#, .algorithm), (mixed, other, #"{"alg":"ES256"}"#, nil),
                (mixed, curve, #"{"alg":"ES256"}"#, .signature), (mixed, rsa, #"{"alg":"RS256"}"#, .algorithm),
                (unnamed, rsa, #"{"alg":"RS256"}"#, nil), (unnamed, curve, #"{"alg":"ES256"}"#, nil),
                (unnamed, other, #"{"alg":"ES256"}"#, nil), (unnamed, other, #"{"alg":"ES256","kid":"a"}"#, .key),
                (unnamed, stranger, #"{"alg":"ES256"}"#, .signature), (unnamed, rsa, #"{"alg":"PS256"}"#, .algorithm),
                (twice, curve, #"{"alg":"ES256"}"#, nil), (twice, curve, #"{"alg":"ES256","kid":"a"}"#, nil),
                (again, curve, #"{"alg":"ES256"}"#, nil),
                (pem, curve, #"{"alg":"ES256","kid":"any"}"#, nil), (pem, curve, #"{"alg":"ES256"}"#, nil),
            ] as [(String, SigningKey, String, JWTError?)]).enumerated()
        {
            let keys = try PublicKeyTests.keys(file)
            let token = try signer.token(PublicKeyTests.claims, header: header)
            if let error {
                #expect(throws: error, "case \(number): \(header)") { try PublicKeyTests.user(token, keys) }
            } else {
                #expect(try PublicKeyTests.user(token, keys) == 7, "case \(number): \(header)")
            }
        }
    }
}
