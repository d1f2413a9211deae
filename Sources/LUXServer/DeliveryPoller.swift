import Concurrency
import LUX
import LUXAPI
import LUXNotify
import LUXStore
import Logging
import Postgres

/// Asks the provider whether accepted messages were delivered: periodically, and soon after a hint. Of several servers only one asks
/// at a time; the database decides which.
///
/// Owned by the server; its task runs on the loop of its connections, ``hint()`` comes from any thread.
package final class DeliveryPoller: Sendable {
    /// Interval between two checks for hints.
    private static let tick = Duration.seconds(1)
    /// Maximum time for which a hint is kept while a poll is in flight or has just ended.
    private static let hintLifetime = Duration.seconds(40)
    private static let databaseTimeout = Duration.seconds(5)
    /// For a provider that is asked for each message individually: the messages of one poll, and the minimum age of each.
    private static let singleMessages = 20
    private static let youngestAge = Duration.seconds(60)

    private struct State {
        var hintUntil: MonotonicTime?
        var isFailing = false
        /// The row of the latest message that was asked for individually.
        var lastMessage: Int64 = 0
        var task: Task<Void, Never>?
    }

    private let notifier: ProviderNotifier
    private let pool: PostgresPool
    private let interval: Duration
    private let metrics: RequestMetrics
    private let logger: Logger
    private let state = Locked(State())

    /// - Parameter interval: between two polls of all servers together.
    package init(
        notifier: ProviderNotifier, pool: PostgresPool, interval: Duration, metrics: RequestMetrics, logger: Logger
    ) {
        self.notifier = notifier
        self.pool = pool
        self.interval = interval
        self.metrics = metrics
        self.logger = logger
    }

    package func start() {
        let task = Task(executorPreference: pool.loop) { await self.run() }
        state.withLock { $0.task = task }
    }

    package func stop() {
        state.withLock { $0.task }?.cancel()
    }

    /// Polls soon.
    package func hint() {
        let end = MonotonicTime.now() + Self.hintLifetime
        state.withLock { $0.hintUntil = end }
    }

    private func run() async {
        var next = MonotonicTime.now() + interval
        while !Task.isCancelled {
            try? await Task.sleep(for: min(Self.tick, interval))
            let now = MonotonicTime.now()
            let hintUntil = state.withLock { $0.hintUntil }
            let isHinted = hintUntil.map { $0 > now } ?? false
            guard isHinted || next <= now else { continue }
            if next <= now { next = now + interval }
            do {
                guard try await poll(isHinted: isHinted) else { continue }
                // Unless another hint has arrived in the meantime.
                state.withLock { state in
                    if state.hintUntil == hintUntil { state.hintUntil = nil }
                }
            } catch {
                // The availability of the database is reported elsewhere.
                logger.log(.debug, "cannot poll for results of alimtalk", [.cause: "\(error)"])
            }
        }
    }

    /// Whether this server has asked the provider.
    private func poll(isHinted: Bool) async throws -> Bool {
        // A provider that does not work is spared.
        guard notifier.circuit != "open" else { return false }
        let name = notifier.name
        guard
            let poll = try await store.claimDeliveryPoll(provider: name, interval: interval, isHinted: isHinted)
        else { return false }
        let report = try await report(poll)
        // A sweep that is too long is not repeated before its time, since it would hide new results.
        let isComplete = report.error == nil || poll.isSweep && report.isCutShort
        let stored = try await store.finish(
            poll, provider: name,
            deliveries: report.deliveries.map {
                DeliveryResult(messageID: $0.messageID, result: $0.result?.rawValue, code: $0.code)
            }, isComplete: isComplete, pause: report.retryAfter ?? .zero)
        for delivery in stored {
            guard let result = delivery.result else { continue }
            metrics.count(delivery: result, of: name)
            guard result == Delivery.Result.undelivered.rawValue else { continue }
            logger.log(
                .notice, "alimtalk undelivered",
                [.cause: "row \(delivery.id): \(name): code \(delivery.code ?? "none")"])
        }
        let wasFailing = state.withLock { state in
            defer { state.isFailing = report.error != nil }
            return state.isFailing
        }
        if let error = report.error, !wasFailing {
            logger.log(.warning, "results of alimtalk cannot be read", [.cause: "\(error)"])
        }
        return true
    }

    /// Asks the provider for what has changed, or for some messages.
    private func report(_ poll: DeliveryPoll) async throws -> ProviderNotifier.DeliveryReport {
        guard notifier.reportsSingleDeliveries else {
            return await notifier.deliveries(in: DeliverySpan(from: poll.from, until: poll.until))
        }
        let messages = try await store.openMessages(
            of: notifier.name, olderThan: min(Self.youngestAge, interval), after: state.withLock { $0.lastMessage },
            limit: Self.singleMessages)
        guard let last = messages.last else { return ProviderNotifier.DeliveryReport() }
        let report = await notifier.deliveries(
            of: messages.map { OpenDelivery(messageID: $0.messageID, createdAt: $0.createdAt) })
        state.withLock { $0.lastMessage = last.id }
        return report
    }

    private var store: DeviceStore { DeviceDatabase(pool: pool).store(deadline: .now() + Self.databaseTimeout) }
}
