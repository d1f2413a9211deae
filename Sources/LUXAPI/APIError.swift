/// An error raised before the handler runs.
enum APIError: Error {
    /// The token is missing or wrong; why, for the log.
    case invalidToken(String)
    /// The signature is good and `exp` past.
    case expiredToken
    /// No such path; what there is, for the log.
    case notFound(String)
    /// The path has other methods; the value of `Allow`.
    case methodNotAllowed(allow: String)
    /// The user has used up what the rate limit grants; seconds until more is granted.
    case tooManyRequests(retryAfter: Int)
    /// The provider did not take the message, or may not have; why, for the log.
    case alimtalkSendFailed(String)
    /// The database does not accept writes, or its schema is not this program's.
    case notReady
}
