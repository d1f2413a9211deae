import Concurrency
import LUX

/// A provider that reports whether messages that it accepted were delivered. Optional.
package protocol DeliveryReporting: AlimtalkProvider {
    /// Asks for the results that changed within a span.
    ///
    /// - Parameter page: ``DeliveryPage/next`` of the page before; `nil` for the first one.
    func deliveryRequest(_ span: DeliverySpan, page: String?, attempt: SendingAttempt) -> ProviderRequest
    /// The results in a reply; `nil` when it cannot be read.
    func deliveries(in reply: ProviderReply, page: String?) -> DeliveryPage?
}

/// A provider without a list of results: the result of each message is requested by itself. Optional, like ``DeliveryReporting``.
package protocol SingleDeliveryReporting: AlimtalkProvider {
    /// Asks for the result of one message.
    func deliveryRequest(of message: OpenDelivery, attempt: SendingAttempt) -> ProviderRequest
    /// The result in a reply, none while it is open; `nil` when the reply cannot be read.
    func deliveries(of message: OpenDelivery, in reply: ProviderReply, at unixMilliseconds: Int64) -> [Delivery]?
}

/// An accepted message without a result.
package struct OpenDelivery: Sendable, Equatable {
    /// The id of ``MessageOutcome/accepted(messageID:)``.
    package var messageID: String
    package var createdAt: Timestamp

    package init(messageID: String, createdAt: Timestamp) {
        self.messageID = messageID
        self.createdAt = createdAt
    }
}

/// The result of an accepted message. Results that are still open have none.
package struct Delivery: Sendable, Equatable {
    package enum Result: String, Sendable, CaseIterable { case delivered, undelivered }

    /// The id of ``MessageOutcome/accepted(messageID:)``.
    package var messageID: String
    /// `nil` for a final result whose meaning the provider does not document.
    package var result: Result?
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

    /// Whether ``deliveries(in:)`` or ``deliveries(of:)`` can succeed.
    package var reportsDeliveries: Bool { provider is any DeliveryReporting || reportsSingleDeliveries }

    /// Whether results are requested message by message, with ``deliveries(of:)``.
    package var reportsSingleDeliveries: Bool { provider is any SingleDeliveryReporting }

    /// What a poll has found.
    package struct DeliveryReport: Sendable {
        package var deliveries: [Delivery] = []
        /// Why some results of the span may be missing; contains neither number nor key.
        package var error: String?
        /// Whether there are more results than a poll has pages or time for.
        package var isCutShort = false
        /// For how long the provider wants no further request.
        package var retryAfter: Duration?

        package init() {}
    }

    /// Asks the provider for the results that changed within a span, page by page.
    package func deliveries(in span: DeliverySpan) async -> DeliveryReport {
        var report = DeliveryReport()
        guard let provider = provider as? any DeliveryReporting else { return report }
        let deadline = MonotonicTime.now() + Self.longestPoll
        var page: String?
        for _ in 0..<Self.mostPages where .now() < deadline {
            let request = provider.deliveryRequest(span, page: page, attempt: .now())
            guard let reply = await reply(to: request, by: deadline, in: &report) else { return report }
            guard let found = provider.deliveries(in: reply, page: page) else {
                report.error = "\(name): HTTP \(reply.status), which leaves the results open"
                return report
            }
            report.deliveries += found.deliveries
            guard let next = found.next, next != page else { return report }
            page = next
        }
        report.isCutShort = true
        report.error = "\(name): more results than one poll reads"
        return report
    }

    /// Asks the provider for the result of each of some messages, at the pace of look-ups; what time does not suffice for stays open.
    package func deliveries(of messages: [OpenDelivery]) async -> DeliveryReport {
        var report = DeliveryReport()
        guard let provider = provider as? any SingleDeliveryReporting else { return report }
        let deadline = MonotonicTime.now() + Self.longestPoll
        for message in messages {
            await awaitTurn()
            guard .now() < deadline else { break }
            let request = provider.deliveryRequest(of: message, attempt: .now())
            guard let reply = await reply(to: request, by: deadline, in: &report) else { return report }
            guard
                let found = provider.deliveries(of: message, in: reply, at: SendingAttempt.now().unixMilliseconds)
            else {
                report.error = "\(name): HTTP \(reply.status), which leaves the results open"
                return report
            }
            report.deliveries += found
        }
        return report
    }

    /// Sends a request for results; `nil` with the report's error when there is no reply.
    private func reply(
        to request: ProviderRequest, by deadline: MonotonicTime, in report: inout DeliveryReport
    ) async -> ProviderReply? {
        let exchange = await exchange(request, min(deadline, .now() + limits.timeout))
        report.retryAfter = exchange.retryAfter
        switch exchange {
        case .notSent(let reason), .noResponse(let reason):
            report.error = clean("\(name): \(reason)", nil)
            return nil
        case .reply(let reply): return reply
        }
    }
}
