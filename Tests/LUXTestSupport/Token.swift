import Foundation

/// Access tokens, good and bad, created without the product's code.
package enum Token {
    package static let secret = "integration-test-secret-0123456789abcdef"

    package static let header = #"{"alg":"HS256","typ":"JWT"}"#

    /// A token that the test servers accept: `sub` is the user, `exp` is `ttl` seconds from now.
    package static func access(user: Int64, ttl: Int = 3600) -> String {
        make(#"{"sub":"\#(user)","exp":\#(now + ttl)}"#)
    }

    package static var now: Int { Int(Date().timeIntervalSince1970) }

    package static func make(_ claims: String, header: String = header, secret: String = secret) -> String {
        let signed = base64URL(header) + "." + base64URL(claims)
        return signed + "." + signature(signed, secret: secret)
    }

    package static func signature(_ signed: String, secret: String = secret) -> String {
        base64URL(SHA256.authenticate(Array(signed.utf8), key: Array(secret.utf8)))
    }

    package static func base64URL(_ text: String) -> String { base64URL(Array(text.utf8)) }

    package static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
            .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }

    package static func decode(_ part: some StringProtocol) -> String? {
        var text = part.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        text += String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) }
    }
}
