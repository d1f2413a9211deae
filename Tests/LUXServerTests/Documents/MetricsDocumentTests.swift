import Foundation
import LUXTestSupport
import Testing

/// docs/metrics.md, against what a server with every part switched on reports.
@Suite struct MetricsDocumentTests {
    private static let path = Locations.package + "/docs/metrics.md"

    @Test func `the page has each metric with its type and help, and no other`() async throws {
        try await onThread {
            let certificate = try TestCertificate()
            let provider = try FakeProvider()
            let environment = AlimtalkKit.nhn.environment(provider.baseURL)
                .merging(certificate.environment) { $1 }.merging(["LUX_METRICS_PORT": "0"]) { $1 }
            let server = try TestServer(try TestDatabase.make(), environment: environment)
            let port = server.logLines { $0["message"]?.string == "metrics" }.first?["port"]?.integer
            let client = try HTTPClient(port: UInt16(try #require(port)))
            try client.send(TestServer.request("GET", "/metrics"))
            let text = try client.receive().text
            server.stop()

            let help = Self.descriptions(text, "HELP")
            let rows = Self.descriptions(text, "TYPE").map { name, type in
                "| `\(name)` | \(type) | \(help.first { $0.name == name }?.text ?? "") |"
            }.sorted()
            if ProcessInfo.processInfo.environment["LUX_WRITE_DOCUMENTS"] != nil { try Self.write(rows) }
            let page = try String(contentsOfFile: Self.path, encoding: .utf8)
            let documented = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
            #expect(documented == rows, "LUX_WRITE_DOCUMENTS=1 writes the page")
        }
    }

    private static func descriptions(_ text: String, _ kind: String) -> [(name: String, text: String)] {
        text.split(separator: "\n").filter { $0.hasPrefix("# \(kind) ") }.map { line in
            let words = line.split(separator: " ", maxSplits: 3)
            return (String(words[2]), words.count > 3 ? String(words[3]) : "")
        }
    }

    private static func write(_ rows: [String]) throws {
        let page = """
            # Metrics

            The metrics of `GET /metrics`, in Prometheus' text format. In production, serve them on a separate port
            (`LUX_METRICS_PORT`) that the API's clients do not reach. `deploy/prometheus.rules.yml` has the alerts,
            `deploy/grafana.json` the dashboard. Counters are summed over all loops of one process.

            This page is generated: `LUX_WRITE_DOCUMENTS=1 Scripts/test --filter MetricsDocumentTests`.

            | metric | type | meaning |
            |---|---|---|

            """
        try (page + rows.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }
}
