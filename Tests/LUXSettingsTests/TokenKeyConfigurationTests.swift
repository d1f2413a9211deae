import Foundation
import JWT
import LUXTestSupport
import Testing

@testable import LUXSettings

/// What the variables of the keys may say, and how they are refused.
@Suite struct TokenKeyConfigurationTests {
    private static let secret = "0123456789abcdef0123456789abcdef"

    private func read(_ variables: [String: String]) -> (keys: TokenKeys, faults: [String]) {
        var reader = EnvironmentReader(environment: variables)
        let keys = reader.tokenKeys()
        return (keys, reader.faults.map(\.description))
    }

    private func file(_ text: String) throws -> String {
        let path = try makeTemporaryFolder("lux-keys") + "/keys"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func `secrets in the variable are divided by commas`() {
        let (one, two) = (Self.secret, Self.secret + "x")
        let short = String(Self.secret.dropLast())
        for (text, secrets) in [(one, [one]), ("\(one),\(two)", [one, two]), (" \(one) ", [" \(one) "])] {
            let (keys, faults) = read(["LUX_JWT_SECRET": text])
            #expect(keys == .secrets(secrets.map { Array($0.utf8) }), "\(text)")
            #expect(faults == [])
        }
        for (text, fault) in [
            (short, "must have at least 32 bytes"), ("\(one),", "must have at least 32 bytes: number 2 of the 2"),
            (",\(one)", "must have at least 32 bytes: number 1 of the 2"),
            ("\(one),\(short),\(two)", "must have at least 32 bytes: number 2 of the 3"),
            ("\(one), \(two)", "white space beside the commas"), ("\(one) ,\(two)", "white space beside the commas"),
        ] {
            let faults = read(["LUX_JWT_SECRET": text]).faults
            #expect(faults.count == 1 && faults.first?.hasPrefix("LUX_JWT_SECRET: \(fault)") == true, "\(faults)")
            #expect(!faults.joined().contains(short))
        }
    }

    @Test func `secrets in a file stand one on a line, commas and all`() throws {
        let (one, two) = (Self.secret, "a,b," + Self.secret)
        for (text, secrets) in [
            (one, [one]), ("\(one)\n", [one]), ("\n\(one)\r\n\r\n\(two)\n", [one, two]), (" \(one)", [" \(one)"]),
        ] {
            let path = try file(text)
            #expect(read(["LUX_JWT_SECRET_FILE": path]).faults == [], "\(text)")
            #expect(try TokenKeys.secretFile(path).signingSecret() == secrets.first.map { Array($0.utf8) })
            #expect(try TokenKeys.secretFile(path).load().count == secrets.count)
        }
        for (text, fault) in [
            ("", "the file contains no secret"), ("\n\r\n", "the file contains no secret"),
            ("\(one)\nshort", "must have at least 32 bytes: number 2 of the 2"),
            (String(repeating: "x", count: 1_048_577), "the file has more than 1048576 bytes"),
        ] {
            let faults = read(["LUX_JWT_SECRET_FILE": try file(text)]).faults
            #expect(faults.count == 1 && faults.first?.hasPrefix("LUX_JWT_SECRET_FILE: \(fault)") == true, "\(faults)")
        }
    }

    @Test func `a file of public keys is tried out`() throws {
        let (rsa, curve) = (try SigningKey(.rsa(bits: 2_048)), try SigningKey(.curve("P-256")))
        let weak = try SigningKey(.rsa(bits: 1_024))
        for good in [rsa.publicFile, curve.publicFile, try file(SigningKey.set(rsa.jwk("a"), curve.jwk("b")))] {
            let (keys, faults) = read(["LUX_JWT_PUBLIC_KEY": good])
            #expect(keys == .publicKeyFile(good))
            #expect(faults == [])
        }
        for (path, fault) in [
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
            let faults = read(["LUX_JWT_PUBLIC_KEY": path]).faults
            #expect(faults.count == 1 && faults.first?.hasPrefix("LUX_JWT_PUBLIC_KEY: \(fault)") == true, "\(faults)")
        }
    }

    @Test func `exactly one variable names the keys, and all errors are reported together`() throws {
        let key = try SigningKey(.curve("P-256")).publicFile
        let file = try file(Self.secret)
        #expect(read([:]).faults.first?.hasPrefix("LUX_JWT_SECRET: is required") == true)
        #expect(read([:]).faults.count == 1)
        let empty = ["LUX_JWT_SECRET": "", "LUX_JWT_SECRET_FILE": "", "LUX_JWT_PUBLIC_KEY": key]
        #expect(read(empty).faults == [])
        for (variables, named) in [
            (["LUX_JWT_SECRET": Self.secret, "LUX_JWT_PUBLIC_KEY": key], ["LUX_JWT_PUBLIC_KEY"]),
            (["LUX_JWT_SECRET": Self.secret, "LUX_JWT_SECRET_FILE": file], ["LUX_JWT_SECRET_FILE"]),
            (["LUX_JWT_SECRET_FILE": file, "LUX_JWT_PUBLIC_KEY": key], ["LUX_JWT_PUBLIC_KEY"]),
            (
                ["LUX_JWT_SECRET": "hidden", "LUX_JWT_SECRET_FILE": "hidden", "LUX_JWT_PUBLIC_KEY": "hidden"],
                ["LUX_JWT_SECRET", "LUX_JWT_SECRET_FILE", "LUX_JWT_PUBLIC_KEY"]
            ),
        ] {
            let faults = read(variables).faults
            #expect(faults.map { $0.prefix { $0 != ":" } } == named.map { $0[...] }, "\(faults)")
            #expect(
                faults.last?.contains(
                    "must not be set beside \(variables["LUX_JWT_SECRET"] == nil ? "LUX_JWT_SECRET_FILE" : "LUX_JWT_SECRET")"
                ) == true, "\(faults)")
            #expect(!faults.joined().contains("hidden"))
        }
        let all = read(["LUX_JWT_SECRET": "short", "LUX_JWT_PUBLIC_KEY": "/nowhere"]).faults
        #expect(all.count == 2 && all.last?.contains("cannot be read") == true, "\(all)")
    }
}
