import Concurrency
import Glibc
import HTTP
import JWT

/// Turns the `Authorization` field of a request into the id of a user (RFC 6750 section 2.1).
struct Authenticator: Sendable {
    let verifier: Locked<JWTVerifier>
    let userClaim: String
    /// Called when a token names a key that does not exist; must not wait.
    let onUnknownKey: @Sendable () -> Void

    /// The user whose token the request carries.
    ///
    /// - Throws: ``APIError``: `.invalidToken`, `.expiredToken`, or `.notReady` while no keys have been loaded.
    func userID(of request: HTTPRequest) throws(APIError) -> Int64 {
        guard let field = request.headers.onlyValue(of: .authorization) else {
            let isMissing = !request.headers.contains(.authorization)
            throw .invalidToken(isMissing ? "no Authorization field" : "several Authorization fields")
        }
        guard let token = Self.bearerToken(in: field) else {
            throw .invalidToken("the Authorization field contains no bearer token")
        }
        do throws(JWTError) {
            // A copy, so that other loops do not wait while a signature is checked.
            return try verifier.withLock { $0 }.verify(token, now: time(nil)) { $0.integer(userClaim) }
        } catch .expired {
            throw .expiredToken
        } catch .noKeys {
            throw .notReady(waitingFor: "the keys of access tokens")
        } catch .key {
            onUnknownKey()
            throw .invalidToken("token, \(JWTError.key)")
        } catch .unreadable {
            throw .invalidToken("token, \(userClaim): no id of a user")
        } catch {
            throw .invalidToken("token, \(error)")
        }
    }

    /// The token after the scheme, which is case-insensitive (RFC 9110 section 11.1).
    static func bearerToken(in field: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard field.count > 6 else { return nil }
        let rest = field.dropFirst(6)
        guard zip(field, scheme).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        let token = rest.drop { $0 == UInt8(ascii: " ") }
        guard token.startIndex != rest.startIndex, !token.isEmpty else { return nil }
        return token
    }

    private static let scheme = Array("bearer".utf8)
}
