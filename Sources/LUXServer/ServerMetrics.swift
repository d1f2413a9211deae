import Concurrency
import FoundationEssentials
import HTTP
import LogOutput
import LUXAPI
import LUXNotify
import LUXStore
import Metrics
import Postgres
import TLS

/// The metrics of all parts of the running server, read from any thread.
package final class ServerMetrics: Sendable {
    package let requests = RequestMetrics()
    private let process = ProcessMetrics()
    private let rendered = RenderedMetrics()
    private let events = Locked<[String: UInt64]>([:])
    /// Expiry of the certificate in use, in seconds since the Unix epoch.
    private let certificateEnd = Locked<Double?>(nil)
    /// Set once the server has been created.
    private let sources = Locked<Sources?>(nil)

    private struct Sources {
        package var server: HTTPServer
        package var pools: [PostgresStatistics]
        package var uploads: [UploadStatistics]
        package var notifier: ProviderNotifier?
        package var log: LineLog
    }

    package func observe(
        _ server: HTTPServer, _ pools: [PostgresPool], _ uploads: [UploadWriter], _ notifier: any AlimtalkNotifier,
        _ log: LineLog
    ) {
        let sources = Sources(
            server: server, pools: pools.map(\.statistics), uploads: uploads.map(\.statistics),
            notifier: notifier as? ProviderNotifier, log: log)
        self.sources.withLock { $0 = sources }
    }

    /// Records the expiry of the certificate that is used from now on.
    package func observe(_ credentials: TLSCredentials) {
        let end = (try? credentials.validity())?.notAfter.timeIntervalSince1970
        certificateEnd.withLock { $0 = end }
    }

    /// Counts the events of the HTTP server.
    package func count(_ event: HTTPServerEvent) {
        let name =
            switch event {
            case .handshakeFailed: "handshake_failed"
            case .connectionRejected: "connection_rejected"
            case .acceptPaused: "accept_paused"
            }
        events.withLock { $0[name, default: 0] += 1 }
    }

    /// All metrics in Prometheus' text format; for a client that scrapes all the time as of 10 ms ago at most.
    package func text() -> MetricsText { rendered.text { render() } }

    private func render() -> MetricsText {
        var text = MetricsText()
        requests.write(to: &text)
        if let sources = sources.withLock({ $0 }) {
            write(sources.server.statistics, to: &text)
            write(sources.pools.map(\.values), to: &text)
            sources.uploads.map(\.values).write(to: &text)
            if let notifier = sources.notifier { write(notifier, to: &text) }
            text.counter(
                "lux_log_lines_dropped_total", "Log lines that were dropped because they were not read in time.",
                [([], sources.log.droppedLines)])
        }
        if let end = certificateEnd.withLock({ $0 }) {
            text.gauge(
                "lux_tls_certificate_expiry_timestamp_seconds",
                "When the first certificate of the chain in use ends, in seconds since the Unix epoch.", end)
        }
        process.write(to: &text)
        text.gauge("lux_build_info", "The version of the program.", [([("version", Version.current)], 1)])
        return text
    }

    private func write(_ http: HTTPStatistics, to text: inout MetricsText) {
        let events = events.withLock { $0 }
        text.gauge("lux_http_requests_in_flight", "Requests in flight.", Double(http.inFlight))
        text.gauge(
            "lux_http_connections", "Open connections of clients by state.",
            [
                ([("state", "active")], Double(min(http.inFlight, http.connections))),
                ([("state", "idle")], Double(max(0, http.connections - http.inFlight))),
            ])
        text.counter(
            "lux_http_connections_refused_total", "Connections over a limit.",
            [([], events["connection_rejected", default: 0])])
        text.counter(
            "lux_http_accept_pauses_total", "Times when the system had no descriptors or memory for a connection.",
            [([], events["accept_paused", default: 0])])
        text.counter(
            "lux_tls_handshakes_total", "TLS handshakes by outcome.",
            [
                ([("outcome", "done")], UInt64(http.handshakes)),
                ([("outcome", "failed")], events["handshake_failed", default: 0]),
            ])
    }

    private func write(_ notifier: ProviderNotifier, to text: inout MetricsText) {
        text.gauge("lux_alimtalk_in_flight", "Messages in flight to the provider.", Double(notifier.inFlight))
        let circuit = notifier.circuit
        text.gauge(
            "lux_alimtalk_circuit", "State of the circuit breaker: 1 for the current one, 0 for the others.",
            ["closed", "open", "half_open"].map { ([("state", $0)], $0 == circuit ? 1 : 0) })
    }

    private func write(_ pools: [PostgresStatistics.Values], to text: inout MetricsText) {
        func sum(_ value: (PostgresStatistics.Values) -> Int) -> Double { Double(pools.map(value).reduce(0, +)) }
        text.gauge("lux_db_pool_size", "Configured size of the pool.", sum(\.size))
        text.gauge(
            "lux_db_connections", "Open connections to the database by state.",
            [
                ([("state", "idle")], sum(\.idle)),
                ([("state", "in_use")], max(0, sum(\.open) - sum(\.idle))),
            ])
        text.gauge("lux_db_waiting_requests", "Requests that wait for a connection.", sum(\.waiting))
        var waits = Histogram()
        var statements: [String: Histogram] = [:]
        for pool in pools {
            waits.add(pool.waits)
            for (name, histogram) in pool.statements { statements[name, default: Histogram()].add(histogram) }
        }
        text.histogram(
            "lux_db_wait_seconds", "Time for which a transaction waited for its connection.", [([], waits)])
        text.histogram(
            "lux_db_statement_duration_seconds", "Time from sending a statement to its result, by its name.",
            statements.sorted { $0.key < $1.key }.map { ([("statement", $0.key)], $0.value) })
    }
}

/// The program's version.
package enum Version {
    package static let current = "1.0.0"
}
