import Concurrency
import HTTP
import LUX
import LUXNotify
import LUXStore
import Metrics

/// Counts what the API answers and what it does. Written by all loops.
package final class RequestMetrics: Sendable {
    private struct Request: Hashable {
        var route: String
        var method: String
        var status: Int
    }

    private struct Message: Hashable {
        var provider: String
        var outcome: String
    }

    private struct State {
        var requests: [Request: UInt64] = [:]
        var durations: [String: Histogram] = [:]
        var logs = LogPlan.Counts()
        var rejectedWrites: [LUXError: UInt64] = [:]
        var implausibleDates: UInt64 = 0
        var messages: [Message: UInt64] = [:]
    }

    private let state = Locked(State())

    /// Nothing counted yet.
    package init() {}

    /// Counts an answered request.
    package func count(_ record: RequestRecord) {
        guard !record.isConnection else { return }
        let route = record.route.isEmpty ? "none" : record.route
        let method = record.method.isEmpty ? "other" : record.method
        state.withLock { state in
            state.requests[Request(route: route, method: method, status: record.status), default: 0] += 1
            state.durations[route, default: Histogram()].observe(record.milliseconds / 1_000)
        }
    }

    /// Counts what the records of a stored upload did.
    package func count(_ logs: LogPlan.Counts) {
        state.withLock { $0.logs.add(logs) }
    }

    /// Counts records whose date cannot be right.
    package func count(implausibleDates count: Int) {
        state.withLock { $0.implausibleDates += UInt64(count) }
    }

    /// Counts an upload that failed because the database rejects a log.
    package func count(_ write: RejectedWrite) {
        state.withLock { $0.rejectedWrites[write.error, default: 0] += 1 }
    }

    /// Counts a message that was asked for.
    package func count(_ outcome: NotificationOutcome, of provider: String) {
        let name =
            switch outcome {
            case .accepted: "accepted"
            case .refused: "refused"
            case .misconfigured: "misconfigured"
            case .tryLater: "try_later"
            case .unknown: "unknown"
            }
        state.withLock { $0.messages[Message(provider: provider, outcome: name), default: 0] += 1 }
    }

    /// Writes them.
    package func write(to text: inout MetricsText) {
        let state = state.withLock { $0 }
        text.counter(
            "lux_http_requests_total", "Requests by route, method and status of the answer.",
            state.requests.sorted {
                ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
            }.map { key, count in
                ([("route", key.route), ("method", key.method), ("status", String(key.status))], count)
            })
        text.histogram(
            "lux_http_request_duration_seconds", "Time from the arrival of a request to its answer.",
            state.durations.sorted { $0.key < $1.key }.map { ([("route", $0.key)], $0.value) })
        let logs = state.logs
        let kinds = [
            ("temporary_made", logs.temporaryMade), ("temporary_updated", logs.temporaryUpdated),
            ("completed", logs.completed), ("new", logs.new), ("repeated", logs.repeated),
        ]
        text.counter(
            "lux_devlog_records_total", "Records of stored uploads, by what they did.",
            kinds.map { ([("kind", $0.0)], UInt64($0.1)) })
        text.counter(
            "lux_devlog_restarts_total", "Uploads that showed that a device's log counter has restarted.",
            [([], UInt64(logs.restarts))])
        text.counter(
            "lux_devlog_holes_total", "Uploads that left a hole in the log numbers of a device.",
            [([], UInt64(logs.holes))])
        text.counter(
            "lux_devlog_implausible_dates_total",
            "Records dated before 2015 or more than a day ahead; they are stored.",
            [([], state.implausibleDates)])
        let writes: [(String, LUXError)] = [("update", .updateDeviceLogFailed), ("create", .createDeviceLogFailed)]
        text.counter(
            "lux_devlog_rejected_writes_total", "Uploads that failed because the database rejects a log.",
            writes.map { ([("operation", $0.0)], state.rejectedWrites[$0.1] ?? 0) })
        text.counter(
            "lux_alimtalk_messages_total", "Messages by provider and outcome.",
            state.messages.sorted { ($0.key.provider, $0.key.outcome) < ($1.key.provider, $1.key.outcome) }
                .map { ([("provider", $0.key.provider), ("outcome", $0.key.outcome)], $0.value) })
    }
}
