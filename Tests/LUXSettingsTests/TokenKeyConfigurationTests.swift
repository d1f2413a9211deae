import Foundation
import JWT
import LUXTestSupport
import Testing

@testable import LUXSettings

/// The valid values of the variables of the keys, and how others are rejected.
@Suite struct TokenKeyConfigurationTests {
    private static let secret = "0123456789abcdef0123456789abcdef"

    private func read(_ variables: [String: String]) -> (keys: TokenKeys, errors: [String]) {
        var reader = EnvironmentReader(environment: variables)
        let keys = reader.tokenKeys()
        return (keys, reader.errors.map(\.description))
    }

    private func file(_ text: String) throws -> String {
        let path = try makeTemporaryFolder("lux-keys") + "/keys"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func `secrets in the variable are divided by commas`() {
        let (one, two) = (Self.secret, Self.secret + "x")
        let short = String(Self.secret.dropLast())
        for (text, secrets) in [(one, [one]), ("\(one),\(two)", [one, two]), (" \(one)", [" \(one)"])] {
            let (keys, errors) = read(["LUX_JWT_SECRET": text])
            #expect(keys == .secrets(secrets.map { Array($0.utf8) }), "\(text)")
            #expect(errors == [])
        }
        for (text, error) in [
            (short, "must have at least 32 bytes"), ("\(one),", "must have at least 32 bytes: number 2 of the 2"),
            (",\(one)", "must have at least 32 bytes: number 1 of the 2"),
            ("\(one),\(short),\(two)", "must have at least 32 bytes: number 2 of the 3"),
            ("\(one), \(two)", "white space beside the commas"), ("\(one) ,\(two)", "white space beside the commas"),
        ] {
            let errors = read(["LUX_JWT_SECRET": text]).errors
            #expect(errors.count == 1 && errors.first?.hasPrefix("LUX_JWT_SECRET: \(error)") == true, "\(errors)")
            #expect(!errors.joined().contains(short))
        }
    }

    @Test func `rejects secrets that everybody knows, or that an editor has changed`() throws {
        let one = Self.secret
        let pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----"
        for (text, error) in [
            (pem, "is a PEM key, not a shared secret"), ("\u{FEFF}\(one)", "begins with a byte order mark"),
            ("\(one) ", "ends in white space"), ("\(one)\t", "ends in white space"),
            ("changeme-changeme-changeme-changeme", "is a placeholder"),
            ("CHANGE_ME_0123456789abcdef0123456789", "is a placeholder"),
            ("your-256-bit-secret-your-256-bit-secret", "is a placeholder"),
            ("a-string-secret-at-least-256-bits-long", "is a placeholder"),
            ("your_super_secret_key_for_access_tokens", "is a placeholder"),
        ] {
            for (variable, value) in [("LUX_JWT_SECRET", text), ("LUX_JWT_SECRET_FILE", try file(text + "\n"))] {
                let errors = read([variable: value]).errors
                #expect(errors.count == 1 && errors.first?.hasPrefix("\(variable): \(error)") == true, "\(errors)")
            }
            guard !text.contains("\n") else { continue }
            let second = read(["LUX_JWT_SECRET_FILE": try file("\(one)\n\(text)\n")]).errors
            #expect(
                second.first?.hasPrefix("LUX_JWT_SECRET_FILE: number 2 of the 2 secrets \(error)") == true, "\(second)")
        }
        let generated = try SigningKey.openssl(["rand", "-base64", "48"]).split(separator: "\n").joined()
        #expect(read(["LUX_JWT_SECRET": generated]).errors == [])
    }

    @Test func `files of other secrets begin with no byte order mark and end in no white space`() throws {
        let key = "LUX_ALIMTALK_NHN_SECRET_KEY_FILE"
        for (variable, text, error) in [
            ("DATABASE_URL_FILE", "\u{FEFF}dbname=lux", "begins with a byte order mark"),
            (key, "\u{FEFF}key", "begins with a byte order mark"), (key, "key \n", "ends in white space"),
        ] {
            let errors = Variables(environment: [variable: try file(text)]).errors.map(\.description)
            #expect(errors.count == 1 && errors.first?.hasPrefix("\(variable): \(error)") == true, "\(errors)")
        }
        #expect(Variables(environment: ["DATABASE_URL_FILE": try file("dbname=lux\n")]).errors.isEmpty)
    }

    @Test func `a JWKS is fetched over HTTPS, or from this machine`() {
        for url in [
            "https://a.example/keys", "https://a.example", "https://a.example:8443/k?x=1", "http://127.0.0.1:1/k",
            "http://localhost/k", "http://[::1]:1/k",
        ] {
            let (keys, errors) = read(["LUX_JWT_JWKS_URL": url])
            #expect(errors == [], "\(url)")
            #expect(keys.keySet?.url.hasPrefix(url) == true && keys.isKeySet, "\(url)")
        }
        for url in [
            "http://a.example/keys", "a.example/keys", "ftp://a.example/k", "https://", "https://u:p@a.example/k",
            "https://a.example/k#f", "https://a.example/ k", "/etc/keys.json",
        ] {
            let errors = read(["LUX_JWT_JWKS_URL": url]).errors
            #expect(errors == ["LUX_JWT_JWKS_URL: must be an https URL without a password, or http to this machine"])
        }
    }

    @Test func `warns of a JWKS without issuer and audience`() throws {
        let key = try SigningKey(.curve("P-256"))
        let set = try file(SigningKey.set(key.jwk("a")))
        func warnings(_ variables: [String: String]) -> [String] {
            var reader = EnvironmentReader(environment: variables)
            return reader.tokenWarnings().map(\.description)
        }
        for variables in [["LUX_JWT_PUBLIC_KEY": set], ["LUX_JWT_JWKS_URL": "https://a.example/k"]] {
            #expect(warnings(variables).first?.hasPrefix("LUX_JWT_AUDIENCE: neither it nor LUX_JWT_ISSUER") == true)
            #expect(warnings(variables.merging(["LUX_JWT_ISSUER": "a, b"]) { $1 }) == [])
            #expect(warnings(variables.merging(["LUX_JWT_AUDIENCE": "lux"]) { $1 }) == [])
        }
        #expect(warnings(["LUX_JWT_SECRET": Self.secret]) == [])
        #expect(warnings(["LUX_JWT_PUBLIC_KEY": key.publicFile]) == [])
        var reader = EnvironmentReader(environment: ["LUX_JWT_ISSUER": "a, b", "LUX_JWT_AUDIENCE": "c,,d"])
        #expect(reader.tokenRequirements().issuers == ["a", "b"])
        #expect(reader.errors.map(\.variable) == ["LUX_JWT_AUDIENCE"])
    }

    @Test func `a file has one secret on a line, commas and all`() throws {
        let (one, two) = (Self.secret, "a,b," + Self.secret)
        for (text, secrets) in [
            (one, [one]), ("\(one)\n", [one]), ("\n\(one)\r\n\r\n\(two)\n", [one, two]), (" \(one)", [" \(one)"]),
        ] {
            let path = try file(text)
            #expect(read(["LUX_JWT_SECRET_FILE": path]).errors == [], "\(text)")
            #expect(try TokenKeys.secretFile(path).signingSecret() == secrets.first.map { Array($0.utf8) })
            #expect(try TokenKeys.secretFile(path).load().count == secrets.count)
        }
        for (text, error) in [
            ("", "the file contains no secret"), ("\n\r\n", "the file contains no secret"),
            ("\(one)\nshort", "must have at least 32 bytes: number 2 of the 2"),
            (String(repeating: "x", count: 1_048_577), "the file has more than 1048576 bytes"),
        ] {
            let errors = read(["LUX_JWT_SECRET_FILE": try file(text)]).errors
            #expect(errors.count == 1 && errors.first?.hasPrefix("LUX_JWT_SECRET_FILE: \(error)") == true, "\(errors)")
        }
    }

    @Test func `a file of public keys is loaded and checked`() throws {
        let (rsa, curve) = (try SigningKey(.rsa(bits: 2_048)), try SigningKey(.curve("P-256")))
        let weak = try SigningKey(.rsa(bits: 1_024))
        for good in [rsa.publicFile, curve.publicFile, try file(SigningKey.set(rsa.jwk("a"), curve.jwk("b")))] {
            let (keys, errors) = read(["LUX_JWT_PUBLIC_KEY": good])
            #expect(keys == .publicKeyFile(good))
            #expect(errors == [])
        }
        for (path, error) in [
            ("/nowhere.pem", "the file cannot be read: No such file"), ("/tmp", "is not a file"),
            ("/dev/zero", "is not a file"),
            (try file("nothing"), "the file contains neither a public key as PEM nor a JWKS"),
            (try file("{}"), "the file is JSON, but neither a JWKS"),
            (rsa.privateFile, "the file contains a private key"),
            (weak.publicFile, "the file is an RSA key of 1024 bits"),
            (try SigningKey(.curve("P-521")).publicFile, "the file is an elliptic curve key on secp521r1"),
            (try file(SigningKey.set(weak.jwk("a"))), "the file contains no key that can be used; key 1"),
            (try file(SigningKey.set(rsa.jwk("a"), curve.jwk("a"))), "the file contains two keys with the kid \"a\""),
            (String(decoding: try rsa.publicPEM(), as: UTF8.self), "must be the path of a file"),
        ] {
            let errors = read(["LUX_JWT_PUBLIC_KEY": path]).errors
            #expect(errors.count == 1 && errors.first?.hasPrefix("LUX_JWT_PUBLIC_KEY: \(error)") == true, "\(errors)")
        }
    }

    @Test func `exactly one variable names the keys, and all errors are reported together`() throws {
        let key = try SigningKey(.curve("P-256")).publicFile
        let file = try file(Self.secret)
        #expect(read([:]).errors.first?.hasPrefix("LUX_JWT_SECRET: is required") == true)
        #expect(read([:]).errors.count == 1)
        let empty = ["LUX_JWT_SECRET": "", "LUX_JWT_SECRET_FILE": "", "LUX_JWT_PUBLIC_KEY": key]
        #expect(read(empty).errors == [])
        for (variables, named) in [
            (["LUX_JWT_SECRET": Self.secret, "LUX_JWT_PUBLIC_KEY": key], ["LUX_JWT_PUBLIC_KEY"]),
            (["LUX_JWT_SECRET": Self.secret, "LUX_JWT_SECRET_FILE": file], ["LUX_JWT_SECRET_FILE"]),
            (["LUX_JWT_SECRET_FILE": file, "LUX_JWT_PUBLIC_KEY": key], ["LUX_JWT_PUBLIC_KEY"]),
            (
                ["LUX_JWT_SECRET": "hidden", "LUX_JWT_SECRET_FILE": "hidden", "LUX_JWT_PUBLIC_KEY": "hidden"],
                ["LUX_JWT_SECRET", "LUX_JWT_SECRET_FILE", "LUX_JWT_PUBLIC_KEY"]
            ),
        ] {
            let errors = read(variables).errors
            #expect(errors.map { $0.prefix { $0 != ":" } } == named.map { $0[...] }, "\(errors)")
            #expect(
                errors.last?.contains(
                    "must not be set beside \(variables["LUX_JWT_SECRET"] == nil ? "LUX_JWT_SECRET_FILE" : "LUX_JWT_SECRET")"
                ) == true, "\(errors)")
            #expect(!errors.joined().contains("hidden"))
        }
        let all = read(["LUX_JWT_SECRET": "short", "LUX_JWT_PUBLIC_KEY": "/nowhere"]).errors
        #expect(all.count == 2 && all.last?.contains("cannot be read") == true, "\(all)")
    }
}
