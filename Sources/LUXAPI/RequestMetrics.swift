import Concurrency
import HTTP
import LUX
import LUXNotify
import LUXStore
import Metrics

/// Counts the requests of one loop. Written by that loop, read by the thread that writes the metrics.
package final class RequestCounter: Sendable {
    struct RouteCounts: Sendable {
        let route: String
        var counts: [(method: String, status: Int, count: UInt64)] = []
        var durations = Histogram()

        mutating func add(_ method: String, _ status: Int, _ count: UInt64) {
            if let index = counts.firstIndex(where: { $0.status == status && $0.method == method }) {
                counts[index].count += count
            } else {
                counts.append((method, status, count))
            }
        }
    }

    /// So few that a linear search is faster than hashing.
    private let routes: Locked<[RouteCounts]>

    /// Creates a counter that knows these routes with each status that they are documented with, and each of a request
    /// without a route: a counter that appears with its first event hides that event from `increase()`.
    init(_ served: [Route]) {
        var known: [RouteCounts] = []
        for route in served {
            // Files of the documentation are not part of any alert.
            if case .documentation = route.access { continue }
            let index = known.index(of: route.path)
            for status in route.statuses {
                known[index].add(route.method.rawValue, status, 0)
            }
        }
        for index in known.indices {
            let served = Set(known[index].counts.map(\.method))
            for method in RequestRecord.methods.union([Self.otherMethod]).subtracting(served) {
                known[index].add(method, 405, 0)
            }
        }
        let none = known.index(of: Self.noRoute)
        for method in RequestRecord.methods.union([Self.otherMethod]) {
            for status in Self.statusesWithoutRoute { known[none].add(method, status, 0) }
        }
        routes = Locked(known)
    }

    private static let noRoute = "none"
    /// 404, and those of requests that the HTTP server rejects.
    private static let statusesWithoutRoute = [400, 404, 408, 413, 414, 415, 417, 431, 500, 501, 503, 505]
    private static let otherMethod = "other"

    /// Counts a request that has its response.
    package func count(_ record: RequestRecord) {
        guard !record.isConnection else { return }
        let route = record.route.isEmpty ? Self.noRoute : record.route
        let method = record.method.isEmpty ? Self.otherMethod : record.method
        let (status, seconds) = (record.status, record.milliseconds / 1_000)
        routes.withLock { routes in
            let index = routes.index(of: route)
            routes[index].add(method, status, 1)
            routes[index].durations.observe(seconds)
        }
    }

    var values: [RouteCounts] { routes.withLock { $0 } }
}

extension [RequestCounter.RouteCounts] {
    /// The place of a route, which is added if it is new.
    fileprivate mutating func index(of route: String) -> Int {
        if let index = firstIndex(where: { $0.route == route }) { return index }
        append(RequestCounter.RouteCounts(route: route))
        return count - 1
    }
}

/// Counts what the API does. Written by all loops.
package final class RequestMetrics: Sendable {
    private struct Message: Hashable {
        var provider: String
        var outcome: String
    }

    private struct State {
        var counters: [RequestCounter] = []
        var logs = LogPlan.Counts()
        var rejectedWrites: [LUXError: UInt64] = [:]
        var implausibleDates: UInt64 = 0
        var messages: [Message: UInt64] = [:]
        /// By result.
        var deliveries: [Message: UInt64] = [:]
    }

    private let state = Locked(State())

    package init() {}

    /// Creates the counter of one loop, which is part of these metrics.
    func counter(for served: [Route]) -> RequestCounter {
        let counter = RequestCounter(served)
        state.withLock { $0.counters.append(counter) }
        return counter
    }

    /// The requests of all loops.
    private func routes(_ counters: [RequestCounter]) -> [RequestCounter.RouteCounts] {
        var sum: [RequestCounter.RouteCounts] = []
        for route in counters.flatMap(\.values) {
            let index = sum.index(of: route.route)
            for count in route.counts { sum[index].add(count.method, count.status, count.count) }
            sum[index].durations.add(route.durations)
        }
        return sum.sorted { $0.route < $1.route }
    }

    /// Counts what the records of a stored upload did.
    package func count(_ logs: LogPlan.Counts) {
        state.withLock { $0.logs.add(logs) }
    }

    /// Counts records with implausible dates.
    package func count(implausibleDates count: Int) {
        state.withLock { $0.implausibleDates += UInt64(count) }
    }

    /// Counts an upload that failed because the database rejects a log.
    package func count(_ write: RejectedWrite) {
        state.withLock { $0.rejectedWrites[write.error, default: 0] += 1 }
    }

    /// Reports the provider's messages from now on; outcomes that have not occurred are 0.
    package func expectMessages(of provider: String) {
        state.withLock { state in
            for outcome in Self.outcomes {
                state.messages[Message(provider: provider, outcome: outcome), default: 0] += 0
            }
            for result in Delivery.Result.allCases {
                state.deliveries[Message(provider: provider, outcome: result.rawValue), default: 0] += 0
            }
        }
    }

    private static let outcomes = ["accepted", "misconfigured", "refused", "try_later", "unknown"]

    /// Counts a message that was requested.
    package func count(_ outcome: MessageOutcome, of provider: String) {
        let name =
            switch outcome {
            case .accepted: "accepted"
            case .rejected: "refused"
            case .misconfigured: "misconfigured"
            case .tryLater: "try_later"
            case .unknown: "unknown"
            }
        assert(Self.outcomes.contains(name))
        state.withLock { $0.messages[Message(provider: provider, outcome: name), default: 0] += 1 }
    }

    /// Counts the result of an accepted message.
    package func count(delivery result: String, of provider: String) {
        state.withLock { $0.deliveries[Message(provider: provider, outcome: result), default: 0] += 1 }
    }

    package func write(to text: inout MetricsText) {
        let state = state.withLock { $0 }
        let routes = routes(state.counters)
        text.counter(
            "lux_http_requests_total", "Requests by route, method and status of the response.",
            routes.flatMap { route in
                route.counts.sorted { ($0.method, $0.status) < ($1.method, $1.status) }.map { count in
                    (
                        [("route", route.route), ("method", count.method), ("status", String(count.status))],
                        count.count
                    )
                }
            })
        text.histogram(
            "lux_http_request_duration_seconds", "Time from the arrival of a request to its response.",
            routes.map { ([("route", $0.route)], $0.durations) })
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
        text.counter(
            "lux_alimtalk_deliveries_total", "Results of accepted messages that this server has read, by provider.",
            state.deliveries.sorted { ($0.key.provider, $0.key.outcome) < ($1.key.provider, $1.key.outcome) }
                .map { ([("provider", $0.key.provider), ("result", $0.key.outcome)], $0.value) })
    }
}
