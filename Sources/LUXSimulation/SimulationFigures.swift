/// What was counted for one endpoint.
package struct EndpointFigures: Sendable, Equatable {
    package var latencies = Latencies()
    /// How often each status was returned; 0 for none.
    package var statuses: [Int: Int] = [:]

    package init() {}
}

/// What a simulation counted on the side of the phones.
package struct SimulationFigures: Sendable {
    package typealias Endpoint = PhoneRequest.Endpoint

    package var endpoints: [Endpoint: EndpointFigures] = [:]
    /// Requests that were sent again with the same body.
    package var retries = 0
    package var timeouts = 0
    /// Kept connections that the server had closed; the request was sent on another one immediately.
    package var stale = 0
    package var connections = 0
    package var tokens = 0
    package var renewals = 0
    /// Uses begun, ended, and ended before their last step.
    package var begun = 0
    package var ended = 0
    package var abandoned = 0
    /// Statuses that a phone does not expect, with their endpoint; the first ones.
    package var unexpected: [String] = []
    /// Seconds by which requests were sent later than the schedule has them.
    package var latest = 0.0
    package var seconds = 0.0
    /// Seconds of a second or more without an acknowledged upload, and when they began.
    package var gaps: [(at: Double, seconds: Double)] = []

    package init() {}

    package var requests: UInt64 { endpoints.values.reduce(0) { $0 + $1.latencies.count } }

    /// Requests without a response 200, and those that were sent once more as the server had closed the connection.
    package var failures: Int {
        endpoints.values.reduce(stale) { sum, endpoint in
            sum + endpoint.statuses.reduce(0) { $0 + ($1.key == 200 ? 0 : $1.value) }
        }
    }

    package mutating func observe(_ endpoint: Endpoint, status: Int, microseconds: Int64) {
        endpoints[endpoint, default: EndpointFigures()].latencies.observe(microseconds)
        endpoints[endpoint, default: EndpointFigures()].statuses[status, default: 0] += 1
    }

    /// The table of the report.
    package var lines: [String] {
        var lines = [
            Self.row(["endpoint", "requests", "a second", "p50 ms", "p95 ms", "p99 ms", "max ms", "statuses"])
        ]
        for endpoint in Endpoint.allCases {
            guard let figures = endpoints[endpoint] else { continue }
            let latencies = figures.latencies
            let statuses = figures.statuses.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
            lines.append(
                Self.row(
                    [
                        endpoint.rawValue, "\(latencies.count)",
                        "\(Int(Double(latencies.count) / max(seconds, 0.001)))",
                        Self.milliseconds(latencies.percentile(0.5)), Self.milliseconds(latencies.percentile(0.95)),
                        Self.milliseconds(latencies.percentile(0.99)), Self.milliseconds(latencies.largest),
                        statuses.joined(separator: ", "),
                    ]))
        }
        return lines
    }

    static func milliseconds(_ microseconds: Int64) -> String { decimal(Double(microseconds) / 1_000, places: 2) }

    static func decimal(_ value: Double, places: Int) -> String {
        var scale: Int64 = 1
        for _ in 0..<places { scale *= 10 }
        let whole = Int64((value * Double(scale)).rounded())
        let fraction = String(whole.magnitude % UInt64(scale))
        let sign = whole < 0 ? "-" : ""
        let zeros = String(repeating: "0", count: max(0, places - fraction.count))
        return places == 0 ? "\(whole)" : "\(sign)\(whole.magnitude / UInt64(scale)).\(zeros)\(fraction)"
    }

    /// Names on the left, numbers on the right, the last column as it is.
    static func row(_ cells: [String]) -> String {
        var text = cells[0] + String(repeating: " ", count: max(0, 26 - cells[0].count))
        for (index, cell) in cells.dropFirst().enumerated() {
            let isLast = index == cells.count - 2
            text += isLast ? "  " + cell : String(repeating: " ", count: max(1, 11 - cell.count)) + cell
        }
        return text
    }
}
