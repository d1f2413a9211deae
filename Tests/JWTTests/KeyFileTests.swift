import Foundation
import LUXTestSupport
import Testing

@testable import JWT

enum PEMFile {
    static func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
}

/// What a file of public keys has to be, and which of its keys a token means.
@Suite struct KeyFileTests {
    private static let rsa = PublicKeyTests.rsa
    private static let curve = PublicKeyTests.curve
    private static let other = Result { try SigningKey(.curve("P-256")) }

    private func refusal(of file: [UInt8]) -> KeyError? {
        do throws(KeyError) {
            _ = try VerificationKeys(publicKeyFile: file) { _ in }
            return nil
        } catch {
            return error
        }
    }

    private func refusal(of file: String) -> KeyError? { refusal(of: Array(file.utf8)) }

    @Test func `a PEM file holds one public key that is strong enough, and nothing else`() throws {
        let (rsa, curve) = (try Self.rsa.get(), try Self.curve.get())
        for (kind, error) in [
            (.rsa(bits: 1_024), .size(bits: 1_024)), (.rsa(bits: 2_040), .size(bits: 2_040)), (.rsa(bits: 3_072), nil),
            (.curve("P-384"), .curve("secp384r1")), (.curve("P-521"), .curve("secp521r1")),
            (.curve("secp256k1"), .curve("secp256k1")), (.other("ED25519"), .kind), (.other("X25519"), .kind),
            (.other("RSA-PSS"), .kind),
        ] as [(SigningKey.Kind, KeyError?)] {
            #expect(refusal(of: try SigningKey(kind).publicPEM()) == error, "\(kind)")
        }
        for key in [rsa, curve] {
            let pem = try key.publicPEM()
            #expect(refusal(of: pem) == nil)
            #expect(refusal(of: Array("a comment\n".utf8) + pem + Array("and one more".utf8)) == nil)
            #expect(refusal(of: try PEMFile.read(key.privateFile)) == .privateKey)
            #expect(refusal(of: try pem + PEMFile.read(key.privateFile)) == .privateKey)
            #expect(refusal(of: try pem + curve.publicPEM()) == .severalPEM)
            #expect(refusal(of: Array(pem.dropLast(40))) == .notAKey, "cut off")
        }
        let certificate = try TestCertificate().certificate
        #expect(refusal(of: try PEMFile.read(certificate)) == .otherPEM(label: "CERTIFICATE"))
        let empty = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n"
        #expect(refusal(of: empty) == .invalid)
        for text in ["", " \n", "key", "[]", "\"text\"", "\u{FEFF}{}"] {
            #expect(refusal(of: text) == .notAKey, "\(text)")
        }
    }

    @Test func `a JWKS is an object with an array of objects`() {
        for text in [
            "{", "{}", " {} ", #"{"keys":null}"#, #"{"keys":{}}"#, #"{"keys":[1]}"#, #"{"keys":[{}],}"#,
            #"{"keys":[{}]} x"#, #"{"keys":"\uD800"}"#, Self.exampleKey,
        ] { #expect(refusal(of: text) == .notAKeySet, "\(text)") }
        #expect(refusal(of: #"{"keys":[]}"#) == .noUsableKey([]))
    }

    private static let exampleKey = PublicKeyTests.Example.curve

    @Test func `keys of a JWKS that cannot be used are left out and reported`() throws {
        let (rsa, curve) = (try Self.rsa.get(), try Self.curve.get())
        let weak = try SigningKey(.rsa(bits: 1_024))
        let cases: [(key: String, reason: String)] = [
            (curve.jwk("x", #","use":"enc""#), "use is not sig"), (curve.jwk("x", #","use":null"#), "use is not sig"),
            (curve.jwk("x", #","key_ops":["sign"]"#), "key_ops does not hold verify"),
            (curve.jwk("x", #","alg":"RS256""#), "alg is not ES256"),
            (rsa.jwk("x", #","alg":"RS512""#), "alg is not RS256"),
            (rsa.jwk("x", #","alg":1"#), "alg is not RS256"), (weak.jwk("x"), "is an RSA key of 1024 bits"),
            (#"{"kid":"x"}"#, "kty is missing"), (#"{"kid":"x","kty":1}"#, "kty is missing"),
            (#"{"kid":"x","kty":"oct","k":"AAAA"}"#, "kty is neither RSA nor EC"),
            (#"{"kid":"x","kty":"OKP","crv":"Ed25519","x":"AA"}"#, "kty is neither RSA nor EC"),
            (#"{"kid":"x","kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#, "crv is not P-256"),
            (#"{"kid":"x","kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, "x or y is not 32 bytes"),
            (#"{"kid":"x","kty":"EC","crv":"P-256","x":"\#(zeros)","y":"\#(zeros)"}"#, "makes no valid key"),
            (#"{"kid":"x","kty":"RSA","n":"AA=","e":"AQAB"}"#, "n or e is missing"),
            (#"{"kid":"x","kty":"RSA","n":"AA"}"#, "n or e is missing"),
            (rsa.jwk("x", #","e":"AQ""#), "makes no valid key"), (rsa.jwk("x", #","e":"Ag""#), "makes no valid key"),
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
            #expect(refusal(of: SigningKey.set(key)) == .noUsableKey(warnings), "\(key)")
        }
        var warnings: [KeySetWarning] = []
        let file = Array(SigningKey.set(rsa.jwk("a"), rsa.jwk(nil, #","kid":7"#), curve.jwk()).utf8)
        _ = try VerificationKeys(publicKeyFile: file) { warnings.append($0) }
        #expect(
            warnings.map(\.description) == [
                "key 2: kid is no string", "key 3: no token can choose it: it has no kid beside others",
            ])
    }

    private var zeros: String { Base64URL.encode([UInt8](repeating: 0, count: 32)) }

    @Test func `a private key, the same kid twice and several keys without a kid refuse a JWKS`() throws {
        let (rsa, curve) = (try Self.rsa.get(), try Self.curve.get())
        let good = rsa.jwk("good")
        #expect(refusal(of: SigningKey.set(good, curve.jwk("x", #","d":"AAAA""#))) == .privateKey)
        #expect(refusal(of: SigningKey.set(good, rsa.jwk("x", #","p":"AAAA""#))) == .privateKey)
        #expect(refusal(of: SigningKey.set(good, curve.jwk("good"))) == .duplicateIdentifier("good"))
        #expect(refusal(of: SigningKey.set(rsa.jwk(), curve.jwk())) == .noIdentifiers)
        // The same to look at, and to Swift; not the same text.
        #expect(refusal(of: SigningKey.set(rsa.jwk("\u{E9}"), curve.jwk("e\u{301}"))) == nil)
    }

    @Test func `a token names its key by kid, and need not where there is one`() throws {
        let (rsa, curve, other) = (try Self.rsa.get(), try Self.curve.get(), try Self.other.get())
        let one = SigningKey.set(curve.jwk("a"))
        let bare = SigningKey.set(curve.jwk())
        let two = SigningKey.set(curve.jwk("a", #","use":"sig","alg":"ES256""#), other.jwk("b"))
        let mixed = SigningKey.set(rsa.jwk("a"), curve.jwk("b"), other.jwk())
        let pem = String(decoding: try curve.publicPEM(), as: UTF8.self)
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
                (mixed, curve, #"{"alg":"ES256","kid":"a"}"#, .algorithm), (mixed, other, #"{"alg":"ES256"}"#, .key),
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
