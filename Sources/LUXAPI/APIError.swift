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
    /// A limit is used up; seconds until more is granted, and which limit, for the log.
    case tooManyRequests(retryAfter: Int, cause: String? = nil)
    /// The provider did not take the message, or may not have; why, for the log.
    case alimtalkSendFailed(String)
    /// The database does not accept writes, its schema is not this program's, or there are no keys; what is waited for.
    case notReady(waitingFor: String)
}
