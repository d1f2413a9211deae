import Concurrency
import HTTP
import JWT
import LUX
import LUXNotify
import LUXStore
import Metrics
import TimeZones

/// The services that the API of one event loop uses. Immutable; a class, since each request refers to it.
package final class APIServices: Sendable {
    /// Checks access tokens. All loops share it; its keys are replaced while they run.
    package let verifier: Locked<JWTVerifier>
    /// The claim that contains the id of the user; usually `sub`.
    package let userClaim: String
    /// The zone of a `treatment_date` without an offset.
    package let zone: WallClock
    /// The database, through the loop's connections.
    package let database: DeviceDatabase
    /// Stores the loop's uploads.
    package let uploads: UploadWriter
    /// Sends Alimtalk messages.
    package let notifier: any AlimtalkNotifier
    /// Limits and repeats of messages.
    package let messageRules: MessageRules
    /// Time for the handler of a request, from its arrival: somewhat less than the time-out of the request, so that there is time
    /// to respond.
    package let handlerTimeout: Duration
    /// What the server waits for before it is ready; `nil` when the database accepts writes and its schema is the program's.
    package let missing: @Sendable (MonotonicTime) async -> String?
    /// Called on the loop when a token names a key that does not exist; must not wait.
    package let onUnknownKey: @Sendable () -> Void
    /// Limits the requests of each user; `nil` for no limit.
    package let rateLimiter: RateLimiter?
    /// Limits wrong guesses of device codes, for all loops together.
    package let guesses: GuessLimiter
    /// The value of `Strict-Transport-Security` (RFC 6797), if it is sent.
    package let strictTransportSecurity: String?
    /// Counts responses and stored records.
    package let counted: RequestMetrics
    /// The current metrics; `nil` where they have another port.
    package let metrics: (@Sendable () -> MetricsText)?
    /// `/openapi.json` and `/docs`; `nil` where they are not served.
    package let documentation: APIDocumentation?
    /// The other origins whose pages may call the API; `nil` for none.
    package let cors: CORSPolicy?
    /// Receives a message whose audit row could not be settled: the row's id, and why.
    package let onUnsettledAlimtalk: @Sendable (_ row: Int64, _ error: any Error) -> Void
    /// Called for an upload with an implausible date, with the request and the path of the field.
    package let onImplausibleDates: @Sendable (_ requestID: String?, _ cause: String) -> Void
    /// The web hook of the message provider; `nil` for none.
    package let messageCallback: MessageCallback?
    /// Receives the record of each request.
    package let log: @Sendable (RequestRecord) -> Void

    package init(
        verifier: Locked<JWTVerifier>, userClaim: String, zone: WallClock, database: DeviceDatabase,
        uploads: UploadWriter,
        notifier: any AlimtalkNotifier, messageRules: MessageRules, handlerTimeout: Duration,
        missing: @escaping @Sendable (MonotonicTime) async -> String?,
        onUnknownKey: @escaping @Sendable () -> Void = {}, rateLimiter: RateLimiter? = nil,
        guesses: GuessLimiter,
        strictTransportSecurity: String? = nil, counted: RequestMetrics,
        metrics: (@Sendable () -> MetricsText)? = nil,
        documentation: APIDocumentation? = nil, cors: CORSPolicy? = nil,
        onUnsettledAlimtalk: @escaping @Sendable (_ row: Int64, _ error: any Error) -> Void,
        onImplausibleDates: @escaping @Sendable (_ requestID: String?, _ cause: String) -> Void,
        messageCallback: MessageCallback?,
        log: @escaping @Sendable (RequestRecord) -> Void
    ) {
        self.verifier = verifier
        self.userClaim = userClaim
        self.zone = zone
        self.database = database
        self.uploads = uploads
        self.notifier = notifier
        self.messageRules = messageRules
        self.handlerTimeout = handlerTimeout
        self.missing = missing
        self.onUnknownKey = onUnknownKey
        self.rateLimiter = rateLimiter
        self.guesses = guesses
        self.strictTransportSecurity = strictTransportSecurity
        self.counted = counted
        self.metrics = metrics
        self.documentation = documentation
        self.cors = cors
        self.onUnsettledAlimtalk = onUnsettledAlimtalk
        self.onImplausibleDates = onImplausibleDates
        self.messageCallback = messageCallback
        self.log = log
    }
}
