import Concurrency
import EventLoop
import HTTP
import JWT
import Logging
import LUX
import LUXAPI
import LUXNotify
import LUXSettings
import LUXStore
import Postgres

/// What a server consists of before it has a port: event loops, connections to the database, the keys of access tokens, the
/// message provider and the metrics, and the responders that use them, one for each loop.
///
/// A value, created on the thread of ``Server/run(migrate:)``, or by a test that sends requests to the responders without a
/// socket. Each part documents on which threads it may be used.
struct ServerParts {
    let loops: [EventLoop]
    let pools: [PostgresPool]
    let gate: ReadinessGate
    let metrics = ServerMetrics()
    let verifier: Locked<JWTVerifier>
    let fetcher: KeySetFetcher?
    let notifier: any AlimtalkNotifier
    let uploads: [UploadWriter]
    let poller: DeliveryPoller?
    private let rateLimiter: RateLimiter?
    private let documentation: APIDocumentation?
    private let guesses = GuessLimiter()

    /// - Parameter gate: decides on `/readyz`; opened by the caller.
    /// - Throws: `TokenKeyError`.
    init(_ server: Server, loops: [EventLoop], pools: [PostgresPool], gate: ReadinessGate) throws {
        let configuration = server.configuration
        self.loops = loops
        self.pools = pools
        self.gate = gate
        let verifier = Locked(
            JWTVerifier(keys: try configuration.tokenKeys.load(), configuration.tokenRequirements))
        self.verifier = verifier
        fetcher = configuration.tokenKeys.keySet.map {
            KeySetFetcher($0, verifier: verifier, logger: server.logger)
        }
        rateLimiter = configuration.rateLimit.map { RateLimiter($0) }
        documentation = configuration.documentation.map {
            APIDocumentation(
                assets: $0.assets, metrics: configuration.metricsPort == nil, limits: configuration.limits)
        }
        notifier = Self.notifier(configuration.alimtalk, server.logger)
        metrics.requests.expectMessages(of: notifier.name)
        uploads = pools.map { UploadWriter(pool: $0) }
        poller = Self.deliveryPoller(notifier, pools, configuration.alimtalk, metrics.requests, server.logger)
    }

    /// Stops the background work outside the loops.
    func stop() {
        fetcher?.stop()
        poller?.stop()
    }

    /// The responders of the loops, in their order.
    func responders(_ server: Server) -> [APIResponder] {
        uploads.map { APIResponder(services: services($0, server)) }
    }

    private func services(_ uploads: UploadWriter, _ server: Server) -> APIServices {
        let pool = uploads.pool
        let (configuration, logger, requestLog) = (server.configuration, server.logger, server.requestLog)
        return APIServices(
            verifier: verifier, userClaim: configuration.jwtUserClaim, zone: configuration.clock,
            database: DeviceDatabase(pool: pool),
            uploads: uploads, notifier: notifier, messageRules: messageRules(server),
            handlerTimeout: server.databaseTimeout,
            missing: { [verifier, gate] deadline in
                guard verifier.withLock({ $0.keys.count > 0 }) else { return "the keys of access tokens" }
                return await gate.missing(pool, deadline: deadline)
            },
            onUnknownKey: { [fetcher] in fetcher?.keyWasUnknown() }, rateLimiter: rateLimiter, guesses: guesses,
            strictTransportSecurity: configuration.strictTransportSecurity, counted: metrics.requests,
            metrics: configuration.metricsPort == nil ? metrics.text : nil,
            documentation: documentation, cors: configuration.cors,
            onUnsettledAlimtalk: { row, error in
                // Errors of the database are logged without the values that they may quote.
                logger.log(.error, "alimtalk row not settled", [.cause: "row \(row): \(error)"])
            },
            onImplausibleDates: { requestID, cause in
                logger.log(.warning, "implausible date", [.requestID: "\(requestID ?? "")", .cause: "\(cause)"])
            },
            messageCallback: messageCallback(configuration.alimtalk), log: requestLog.write)
    }

    private func messageCallback(_ settings: AlimtalkConfiguration) -> MessageCallback? {
        guard let poller, let secret = settings.callbackSecret else { return nil }
        return MessageCallback(provider: notifier.name, secret: secret, onHint: poller.hint)
    }

    private func messageRules(_ server: Server) -> MessageRules {
        let alimtalk = server.configuration.alimtalk
        var rules = MessageRules()
        rules.userLimit = alimtalk.userLimit
        rules.dailyLimit = alimtalk.dailyLimit
        rules.cooldown = alimtalk.cooldown
        rules.longestCall = server.databaseTimeout
        return rules
    }

    private static func deliveryPoller(
        _ notifier: any AlimtalkNotifier, _ pools: [PostgresPool], _ settings: AlimtalkConfiguration,
        _ metrics: RequestMetrics, _ logger: Logger
    ) -> DeliveryPoller? {
        let interval = settings.deliveryInterval
        guard interval > .zero, let pool = pools.first, let notifier = notifier as? ProviderNotifier,
            notifier.reportsDeliveries
        else { return nil }
        return DeliveryPoller(
            notifier: notifier, pool: pool, interval: interval, metrics: metrics, logger: logger)
    }

    /// One for all loops, since its limits are those of the process.
    private static func notifier(_ settings: AlimtalkConfiguration, _ logger: Logger) -> any AlimtalkNotifier {
        if settings.isUnencrypted {
            logger.log(
                .warning, "the provider's keys go out unencrypted",
                [.cause: "LUX_ALIMTALK_BASE_URL is http:// and not this machine"])
        }
        let provider = settings.notifier { state in
            logger.log(state == "closed" ? .notice : .warning, "alimtalk circuit breaker", [.state: "\(state)"])
        }
        return provider
            ?? LogNotifier { userID, number in
                logger.log(.info, "alimtalk", [.userID: .stringConvertible(userID), .to: "\(number)"])
            }
    }
}
