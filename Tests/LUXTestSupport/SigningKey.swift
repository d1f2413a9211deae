import COpenSSL
import Foundation

/// A private key of the account service, created by the openssl command line in a temporary folder of its own.
package struct SigningKey: Sendable {
    package enum Kind: Sendable {
        case rsa(bits: Int)
        case curve(String)
        case other(String)

        /// What `openssl genpkey` is asked for.
        var arguments: [String] {
            switch self {
            case .rsa(let bits): ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\(bits)"]
            case .curve(let name): ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(name)"]
            case .other(let name): ["-algorithm", name]
            }
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let folder: String
    /// The `alg` of its tokens; of an RSA key RS256, unless a test sets another one.
    package var algorithm: String
    package var privateFile: String { folder + "/private.pem" }
    package var publicFile: String { folder + "/public.pem" }
    /// The members of its JWK (RFC 7518 section 6) that are not secret, without braces.
    package let publicMembers: String

    package init(_ kind: Kind) throws {
        folder = try makeTemporaryFolder("lux-key")
        _ = try Self.openssl(["genpkey"] + kind.arguments + ["-out", folder + "/private.pem"])
        _ = try Self.openssl(["pkey", "-in", folder + "/private.pem", "-pubout", "-out", folder + "/public.pem"])
        switch kind {
        case .rsa:
            algorithm = "RS256"
            let line = try Self.openssl(["rsa", "-in", folder + "/private.pem", "-noout", "-modulus"])
            let modulus = Self.bytes(hexadecimal: line.dropFirst("Modulus=".count))
            publicMembers = #""kty":"RSA","n":"\#(Token.base64URL(modulus))","e":"AQAB""#
        case .curve(let name):
            let der = folder + "/public.der"
            _ = try Self.openssl(["pkey", "-in", folder + "/private.pem", "-pubout", "-outform", "DER", "-out", der])
            // The point is what the encoding ends with.
            let size = name == "P-384" ? 48 : 32
            let point = Array(try Data(contentsOf: URL(fileURLWithPath: der)).suffix(2 * size))
            publicMembers =
                #""kty":"EC","crv":"\#(name)","x":"\#(Token.base64URL(Array(point.prefix(size))))","#
                + #""y":"\#(Token.base64URL(Array(point.suffix(size))))""#
            algorithm = name == "P-384" ? "ES384" : "ES256"
        case .other(let name):
            let der = folder + "/public.der"
            try Self.openssl(["pkey", "-in", folder + "/private.pem", "-pubout", "-outform", "DER", "-out", der])
            let key = Array(try Data(contentsOf: URL(fileURLWithPath: der)).suffix(32))
            publicMembers = name == "ED25519" ? #""kty":"OKP","crv":"Ed25519","x":"\#(Token.base64URL(key))""# : ""
            algorithm = "EdDSA"
        }
    }

    package func publicPEM() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: publicFile))) }

    /// Its public JWK (RFC 7517 section 4); `more` adds members.
    package func jwk(_ identifier: String? = nil, _ more: String = "") -> String {
        "{\(publicMembers)\(identifier.map { #","kid":"\#($0)""# } ?? "")\(more)}"
    }

    /// A JWK Set (RFC 7517 section 5).
    package static func set(_ keys: String...) -> String { #"{"keys":[\#(keys.joined(separator: ","))]}"# }

    /// A token that it signs; without a header the usual one, with the `kid` if there is one.
    package func token(_ claims: String, kid: String? = nil, header: String? = nil) throws -> String {
        let header = header ?? #"{"alg":"\#(algorithm)"\#(kid.map { #","kid":"\#($0)""# } ?? "")}"#
        let signed = Token.base64URL(header) + "." + Token.base64URL(claims)
        return signed + "." + Token.base64URL(try sign(signed))
    }

    /// A token of a user, valid for an hour.
    package func access(user: Int64, kid: String? = nil) throws -> String {
        try token(#"{"sub":"\#(user)","exp":\#(Token.now + 3_600)}"#, kid: kid)
    }

    /// The signature in the form of RFC 7518 section 3 or RFC 8037.
    package func sign(_ text: String) throws -> [UInt8] {
        let signature = try opensslSignature(text)
        return algorithm.hasPrefix("ES") ? Self.plain(signature, size: algorithm == "ES384" ? 48 : 32) : signature
    }

    private var digest: OpaquePointer? {
        if algorithm == "EdDSA" { return nil }
        if algorithm.hasSuffix("384") { return EVP_sha384() }
        return algorithm.hasSuffix("512") ? EVP_sha512() : EVP_sha256()
    }

    /// As OpenSSL encodes it: for elliptic curves a DER sequence of two integers.
    package func opensslSignature(_ text: String) throws -> [UInt8] {
        guard let bio = BIO_new_file(privateFile, "r") else { throw Failure(description: "no \(privateFile)") }
        defer { BIO_free(bio) }
        guard let key = PEM_read_bio_PrivateKey(bio, nil, nil, nil), let context = EVP_MD_CTX_new() else {
            throw Failure(description: "no private key")
        }
        defer {
            EVP_PKEY_free(key)
            EVP_MD_CTX_free(context)
        }
        let bytes = Array(text.utf8)
        var length = 2_048
        var signature = [UInt8](repeating: 0, count: length)
        var parameters: OpaquePointer?
        guard EVP_DigestSignInit(context, &parameters, digest, nil, key) == 1,
            !algorithm.hasPrefix("PS") || lux_use_pss(parameters) == 1,
            EVP_DigestSign(context, &signature, &length, bytes, bytes.count) == 1
        else { throw Failure(description: "cannot sign") }
        return Array(signature.prefix(length))
    }

    /// R and S side by side, each of `size` bytes.
    private static func plain(_ der: [UInt8], size: Int) -> [UInt8] {
        var rest = der.dropFirst(2)
        var signature: [UInt8] = []
        for _ in 0..<2 {
            let length = Int(rest.dropFirst().first ?? 0)
            let number = rest.dropFirst(2).prefix(length).drop { $0 == 0 }
            signature += [UInt8](repeating: 0, count: size - number.count) + number
            rest = rest.dropFirst(2 + length)
        }
        return signature
    }

    private static func bytes(hexadecimal text: some StringProtocol) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// Runs the openssl command line; its output.
    @discardableResult
    package static func openssl(_ arguments: [String]) throws -> String {
        let command = try ChildProcess("/usr/bin/openssl", arguments)
        guard command.wait(seconds: 60) == .exit(0) else {
            throw Failure(description: "openssl \(arguments): \(command.errors)")
        }
        return command.output
    }
}
