import Bytes
import OpenSSL

/// Creates tokens, for development and tests.
package struct JWTSigner: Sendable {
    private let mac: HMACSHA256

    /// A signer with a shared secret (HS256).
    ///
    /// - Throws: ``JWTError/cryptography(_:)`` when OpenSSL fails.
    package init(hs256Secret secret: [UInt8]) throws(JWTError) {
        mac = try JWTError.wrapping { () throws(OpenSSLError) in try HMACSHA256(key: secret) }
    }

    /// A token with these claims.
    ///
    /// - Parameter claims: a JSON object.
    /// - Throws: ``JWTError/cryptography(_:)``.
    package func sign(claims: String) throws(JWTError) -> String {
        let signed = Base64URL.encode(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8)) + "." + Base64URL.encode(claims.utf8)
        let code = try JWTError.wrapping { () throws(OpenSSLError) in
            try mac.authenticationCode(Array(signed.utf8))
        }
        return signed + "." + Base64URL.encode(code)
    }
}
