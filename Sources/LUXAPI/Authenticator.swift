import Concurrency
import Glibc
import HTTP
import JWT

/// Turns the `Authorization` field of a request into the id of a user (RFC 6750 section 2.1).
struct Authenticator: Sendable {
    let verifier: Locked<JWTVerifier>
    let userClaim: String

    /// The user whose token the request carries.
    ///
    /// - Throws: ``APIError``: `.invalidToken` or `.expiredToken`.
    func userID(of request: HTTPRequest) throws(APIError) -> Int64 {
        let fields = request.headers.values(for: "authorization")
        guard fields.count == 1, let field = fields.first else {
            throw .invalidToken(fields.isEmpty ? "no Authorization field" : "several Authorization fields")
        }
        guard let token = Self.bearerToken(in: field.utf8) else {
            throw .invalidToken("the Authorization field holds no bearer token")
        }
        do throws(JWTError) {
            // A copy: other loops do not wait while a signature is checked.
            return try verifier.withLock { $0 }.verify(token, now: time(nil)) { $0.integer(userClaim) }
        } catch .expired {
            throw .expiredToken
        } catch .unreadable {
            throw .invalidToken("token, \(userClaim): no id of a user")
        } catch {
            throw .invalidToken("token, \(error)")
        }
    }

    /// What stands behind the scheme, which is read without case (RFC 9110 section 11.1).
    static func bearerToken(in field: String.UTF8View) -> Substring.UTF8View? {
        let scheme = field.prefix(6)
        guard scheme.elementsEqual("bearer".utf8, by: { $0 | 0x20 == $1 }) else { return nil }
        let rest = field.dropFirst(6)
        let token = rest.drop { $0 == UInt8(ascii: " ") }
        guard token.startIndex != rest.startIndex, !token.isEmpty else { return nil }
        return token
    }
}
