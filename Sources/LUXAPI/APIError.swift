/// An error raised before the handler runs.
enum APIError: Error {
    /// The token is missing or invalid. The value is the reason, for the log.
    case invalidToken(String)
    /// The signature is valid and `exp` has passed.
    case expiredToken
    /// The path does not exist. The value is the nearest known route, for the log.
    case notFound(String)
    /// The path exists, but not for this method. The value is that of `Allow`.
    case methodNotAllowed(allow: String)
    /// A limit is exhausted: the seconds until the next request is allowed, and the limit, for the log.
    case tooManyRequests(retryAfter: Int, cause: String? = nil)
    /// The provider rejected the message, or its outcome is unknown. The value is the reason, for the log.
    case alimtalkSendFailed(String)
    /// The database does not accept writes, its schema is not this program's, or no keys are loaded. The value is what the
    /// server waits for.
    case notReady(waitingFor: String)
}
