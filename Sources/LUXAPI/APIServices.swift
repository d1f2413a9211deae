import Concurrency
import HTTP
import JWT
import LUX
import LUXNotify
import LUXStore
import Metrics

/// The services that the API of one event loop uses. An immutable value.
package struct APIServices: Sendable {
    /// Checks access tokens. All loops share it; its keys are replaced while they run.
    package var verifier: Locked<JWTVerifier>
    /// The claim that contains the id of the user; usually `sub`.
    package var userClaim: String
    /// The zone of a `treatment_date` without an offset.
    package var zone: WallClock
    /// The database, through the loop's connections.
    package var database: DeviceDatabase
    /// Stores the loop's uploads.
    package var uploads: UploadWriter
    /// Sends Alimtalk messages.
    package var notifier: any AlimtalkNotifier
    /// Limits and repeats of messages.
    package var messageRules: MessageRules
    /// Time for the handler of a request, from its arrival: somewhat less than the time-out of the request, so that there is time
    /// to respond.
    package var handlerTimeout: Duration
    /// What the server waits for before it is ready; `nil` when the database accepts writes and its schema is the program's.
    package var missing: @Sendable (MonotonicTime) async -> String?
    /// Called on the loop when a token names a key that does not exist; must not wait.
    package var onUnknownKey: @Sendable () -> Void
    /// Limits the requests of each user; `nil` for no limit.
    package var rateLimiter: RateLimiter?
    /// Limits wrong guesses of device codes, for all loops together.
    package var guesses: GuessLimiter
    /// The value of `Strict-Transport-Security` (RFC 6797), if it is sent.
    package var strictTransportSecurity: String?
    /// Counts responses and stored records.
    package var counted: RequestMetrics
    /// The current metrics; `nil` where they have another port.
    package var metrics: (@Sendable () -> MetricsText)?
    /// `/openapi.json` and `/docs`; `nil` where they are not served.
    package var documentation: APIDocumentation?
    /// The other origins whose pages may call the API; `nil` for none.
    package var cors: CORSPolicy?
    /// Receives a message whose audit row could not be settled: the row's id, and why.
    package var onUnsettledAlimtalk: @Sendable (_ row: Int64, _ error: any Error) -> Void
    /// Called for an upload with an implausible date, with the request and the path of the field.
    package var onImplausibleDates: @Sendable (_ requestID: String?, _ cause: String) -> Void
    /// The web hook of the message provider; `nil` for none.
    package var messageCallback: MessageCallback?
    /// Receives the record of each request.
    package var log: @Sendable (RequestRecord) -> Void

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
        self.log = log
    }
}
