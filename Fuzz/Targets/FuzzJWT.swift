import Bytes
import OpenSSL

@testable import JWT

private let secret = Array("a secret of more than thirty-two bytes".utf8)

/// A first byte that is even: the rest is a token. Odd: header and payload, divided by a zero byte, which get a right
/// signature, so that what lies behind the signature is reached.
@Sendable func fuzzJWT(_ input: [UInt8]) {
    guard let first = input.first, let key = try? VerificationKey.hs256(secret: secret) else { return }
    let verifier = JWTVerifier(
        key: key, .init(issuers: first & 2 == 0 ? [] : ["a"], audiences: first & 4 == 0 ? [] : ["b"]))
    let rest = input.dropFirst()
    guard first & 1 == 1 else {
        _ = try? verifier.verify(rest, now: 1_700_000_000) { $0.integer("sub") }
        return
    }
    let parts = rest.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let signed = Base64URL.encode(parts[0]) + "." + Base64URL.encode(parts.count > 1 ? parts[1] : [])
    guard let code = try? HMACSHA256(key: secret).authenticationCode(Array(signed.utf8)) else { return }
    let token = Array((signed + "." + Base64URL.encode(code)).utf8)
    let user = try? verifier.verify(token, now: 1_700_000_000) { $0.integer("sub") }
    // The signature of one token never fits another.
    guard user != nil, var changed = Optional(token) else { return }
    changed[changed.count / 2] ^= 1
    precondition((try? verifier.verify(changed, now: 1_700_000_000) { $0.integer("sub") }) == nil)
}
