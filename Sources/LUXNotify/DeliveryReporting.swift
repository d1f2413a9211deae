import Concurrency
import LUX

/// A provider that reports whether messages that it accepted were delivered. Optional: ``ProviderNotifier`` asks where a provider
/// has it.
package protocol DeliveryReporting: AlimtalkProvider {
    /// Asks for the results that changed within a span.
    ///
    /// - Parameter page: ``DeliveryPage/next`` of the page before; `nil` for the first one.
    func deliveryRequest(_ span: DeliverySpan, page: String?, attempt: SendingAttempt) -> ProviderRequest
    /// The results in a reply; `nil` when it cannot be read.
    func deliveries(in reply: ProviderReply, page: String?) -> DeliveryPage?
}

/// The result of an accepted message. Results that are still open have none.
package struct Delivery: Sendable, Equatable {
    package enum Result: String, Sendable, CaseIterable { case delivered, undelivered }

    /// The id of ``MessageOutcome/accepted(messageID:)``.
    package var messageID: String
    package var result: Result
    /// The provider's code.
    package var code: String?
}

/// A span of time, both ends included.
package struct DeliverySpan: Sendable, Equatable {
    package var from: Timestamp
    package var until: Timestamp

    package init(from: Timestamp, until: Timestamp) {
        self.from = from
        self.until = until
    }

    /// `2025-02-21 15:48:09` in Korea, which has had no summer time since 1988.
    static func koreanTime(_ time: Timestamp) -> String {
        var bytes: [UInt8] = []
        time.adding(seconds: 9 * 3_600).appendISO8601(to: &bytes)
        return String(decoding: bytes.prefix(19), as: UTF8.self).replacing("T", with: " ")
    }
}

/// A page of results.
package struct DeliveryPage: Sendable, Equatable {
    package var deliveries: [Delivery]
    /// Where the next page begins; `nil` after the last one.
    package var next: String?
}

extension ProviderNotifier {
    private static let mostPages = 100
    /// Shorter than the time for which a server claims the poll.
    private static let longestPoll = Duration.seconds(20)

    /// Whether ``deliveries(in:)`` can succeed.
    package var reportsDeliveries: Bool { provider is any DeliveryReporting }

    /// What a poll has found.
    package struct DeliveryReport: Sendable {
        package var deliveries: [Delivery] = []
        /// Why some results of the span may be missing; contains neither number nor key.
        package var error: String?
        /// For how long the provider wants no further request.
        package var retryAfter: Duration?
    }

    /// Asks the provider for the results that changed within a span, page by page.
    package func deliveries(in span: DeliverySpan) async -> DeliveryReport {
        var report = DeliveryReport()
        guard let provider = provider as? any DeliveryReporting else { return report }
        let deadline = MonotonicTime.now() + Self.longestPoll
        var page: String?
        for _ in 0..<Self.mostPages where .now() < deadline {
            let request = provider.deliveryRequest(span, page: page, attempt: .now())
            let exchange = await exchange(request, min(deadline, .now() + limits.timeout))
            report.retryAfter = exchange.retryAfter
            switch exchange {
            case .notSent(let reason), .unanswered(let reason):
                report.error = provider.secrets.filter { !$0.isEmpty }
                    .reduce("\(name): \(reason)") { $0.replacing($1, with: "***") }
                return report
            case .reply(let reply):
                guard let found = provider.deliveries(in: reply, page: page) else {
                    report.error = "\(name): HTTP \(reply.status), which leaves the outcome open"
                    return report
                }
                report.deliveries += found.deliveries
                guard let next = found.next, next != page else { return report }
                page = next
            }
        }
        report.error = "\(name): more results than one poll reads"
        return report
    }
}
