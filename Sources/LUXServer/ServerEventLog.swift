import Concurrency
import HTTP
import Logging
import Postgres

/// Logs the events of the HTTP server and of the database, from any thread. Frequent events are combined into one line every
/// ten seconds, with their number.
package final class ServerEventLog: Sendable {
    private struct Flood {
        package var count = 0
        package var reportedAt: MonotonicTime?
    }

    private static let interval = Duration.seconds(10)

    private let logger: Logger
    private let rejected = Locked(Flood())
    private let paused = Locked(Flood())

    package init(logger: Logger) {
        self.logger = logger
    }

    package func log(_ event: HTTPServerEvent) {
        switch event {
        case .handshakeFailed(let reason):
            logger.log(.debug, "TLS handshake failed", [.cause: "\(reason)"])
        case .connectionRejected(let reason):
            warn("connections rejected", reason, count(rejected))
        case .acceptPaused(let reason):
            warn("cannot accept connections for the moment", reason, count(paused))
        }
    }

    /// Logs the course of an outage: once when it begins, once a minute, once when it ends.
    package func log(_ event: DatabaseAvailability.Event) {
        switch event {
        case .lost(let error):
            logger.log(.warning, "the database is unavailable", [.cause: "\(error)"])
        case .stillUnavailable(let error, let duration):
            logger.log(
                .warning, "the database is still unavailable",
                [.cause: "\(error)", .duration: .stringConvertible(duration.wholeNanoseconds / 1_000_000)])
        case .recovered(let duration):
            logger.log(
                .notice, "the database is available again",
                [.duration: .stringConvertible(duration.wholeNanoseconds / 1_000_000)])
        case .reconnected(let lost, let error):
            logger.log(
                .notice, "reopened connections to the database",
                [.cause: "\(error)", .count: .stringConvertible(lost)])
        case .incomplete(let error):
            logger.log(.warning, "cannot open all connections to the database", [.cause: "\(error)"])
        }
    }

    /// The number since the last line; `nil` while it is too early for another one.
    private func count(_ flood: Locked<Flood>) -> Int? {
        flood.withLock { flood in
            flood.count += 1
            let now = MonotonicTime.now()
            if let reported = flood.reportedAt, now - reported < Self.interval { return nil }
            defer { flood = Flood(count: 0, reportedAt: now) }
            return flood.count
        }
    }

    private func warn(_ message: Logger.Message, _ reason: String, _ count: Int?) {
        guard let count else { return }
        logger.log(.warning, message, [.cause: "\(reason)", .count: .stringConvertible(count)])
    }
}
