import Foundation
import LUXTestSupport
import Testing

/// deploy/prometheus.yml, deploy/prometheus.rules.yml, deploy/grafana.json
@Suite(.requires("promtool")) struct AlertTests {
    private static let rulesFile = "deploy/prometheus.rules.yml"

    /// Metrics that are not the server's own: Prometheus creates `up`.
    private static let others: Set = ["up"]

    @Test func `promtool finds no error in configuration and rules`() throws {
        for arguments in [["check", "config", "deploy/prometheus.yml"], ["check", "rules", Self.rulesFile]] {
            let run = try Tool("promtool", arguments)
            #expect(run.isDone, "\(run.everything)")
        }
    }

    /// The page's commands, on Debian's own files.
    @Test func `the page sets Prometheus up for this machine alone and keeps what was there`() throws {
        let folder = try makeTemporaryFolder()
        for name in ["default/prometheus", "prometheus/prometheus.yml"] {
            let path = "\(folder)/\(name)"
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "/etc/\(name)", toPath: path)
        }
        let commands = try OperationsPage.block(containing: "promtool check config").split(separator: "\n")
            .filter { !$0.hasPrefix("apt-get") && !$0.hasPrefix("systemctl") }.joined(separator: "\n")
            .replacing(["/etc/": folder + "/", "/opt/lux/current": Locations.package])
        // Twice: what existed is what Debian brought, not what this created.
        for _ in 0..<2 {
            let run = try Tool("sh", ["-ec", commands])
            #expect(run.isDone, "\(run.everything)")
        }
        let kept = try String(contentsOfFile: folder + "/prometheus/prometheus.yml.debian", encoding: .utf8)
        #expect(try kept == String(contentsOfFile: "/etc/prometheus/prometheus.yml", encoding: .utf8))
        let arguments = try Tool("sh", ["-ec", ". \(folder)/default/prometheus; echo $ARGS"]).output
        #expect(arguments == "--web.listen-address=127.0.0.1:9090\n")
        let configuration = try String(contentsOfFile: folder + "/prometheus/prometheus.yml", encoding: .utf8)
        #expect(configuration.contains("[127.0.0.1:9464]"))
        let environment = try DeploymentFile.text("deploy/lux-server.env")
        #expect(environment.contains("\nLUX_METRICS_HOST=127.0.0.1\n"))
    }

    @Test func `each alert fires for its condition and for no other`() throws {
        let run = try Tool("promtool", ["test", "rules", "deploy/prometheus.rules.test.yml"])
        #expect(run.isDone, "\(run.everything)")
        let tests = try DeploymentFile.text("deploy/prometheus.rules.test.yml")
        for alert in try Self.alerts() {
            for name in ["fires", "stays quiet"] { #expect(tests.contains("name: \(alert) \(name)\n"), "\(alert)") }
        }
    }

    static func alerts() throws -> [String] {
        try DeploymentFile.text(rulesFile).matches(of: /- alert: (\w+)/).map { String($0.output.1) }
    }

    /// Each metric, each label, and each value that a label is compared with.
    @Test func `rules and dashboard use only metrics that the server reports`() async throws {
        try await onThread {
            let samples = try Self.samples()
            let expressions = try Self.dashboardExpressions() + [try Self.ruleExpressions()]
            var seen: Set<String> = []
            for expression in expressions {
                for match in expression.matches(of: /\b(up|(?:lux|process)_\w+)(?:\{([^}]*)\})?/) {
                    let name = String(match.output.1)
                    seen.insert(name)
                    if Self.others.contains(name) { continue }
                    let mine = samples.filter { $0.name == name }
                    #expect(!mine.isEmpty, "\(name) is not a metric: \(expression)")
                    for condition in (match.output.2 ?? "").matches(of: /(\w+)(=~|!=|!~|=)"([^"]*)"/) {
                        let (label, relation) = (String(condition.output.1), condition.output.2)
                        if ["job", "instance"].contains(label) { continue }
                        #expect(mine.contains { $0.labels[label] != nil }, "\(name) has no \(label)")
                        guard relation == "=" else { continue }
                        let value = String(condition.output.3)
                        // A status that did not come up is a status all the same.
                        let isThere = label == "status" || mine.contains { $0.labels[label] == value }
                        #expect(isThere, "\(name) has no \(label) \(value)")
                    }
                }
                for match in expression.matches(of: /by \(([\w, ]+)\)/) {
                    for label in match.output.1.split(whereSeparator: { ", ".contains($0) }) where label != "instance" {
                        #expect(samples.contains { $0.labels[String(label)] != nil }, "\(label)")
                    }
                }
            }
            // A metric that is reported and never used is either missing here or needless there.
            let reported = Set(samples.map(\.name)).filter { !$0.hasSuffix("_sum") && !$0.hasSuffix("_count") }
            #expect(reported.subtracting(seen).sorted() == ["lux_alimtalk_in_flight"])
        }
    }

    private struct Sample {
        var name: String
        var labels: [String: String]
    }

    @Test func `promtool finds no error in the metrics`() async throws {
        try await onThread {
            let file = try makeTemporaryFolder() + "/metrics"
            try Self.metrics().write(toFile: file, atomically: true, encoding: .utf8)
            let check = try Tool("sh", ["-c", #"promtool check metrics < "$0""#, file])
            #expect(check.isDone && check.everything.isEmpty, "\(check.everything)")
        }
    }

    /// The metrics of a server that has TLS and a provider, and has had a request and a message.
    private static func metrics() throws -> String {
        let provider = try FakeProvider(.reply(200, "{}"))
        let certificate = try TestCertificate()
        let database = try TestDatabase.make()
        let server = try TestServer(
            database,
            environment: certificate.environment.merging([
                "LUX_METRICS_PORT": "0", "LUX_ALIMTALK_PROVIDER": "nhn", "LUX_ALIMTALK_BASE_URL": provider.baseURL,
                "LUX_ALIMTALK_NHN_APPKEY": "app", "LUX_ALIMTALK_NHN_SECRET_KEY": "secret",
                "LUX_ALIMTALK_NHN_SENDER_KEY": "sender", "LUX_ALIMTALK_NHN_TEMPLATE_CODE": "template",
            ]) { $1 })
        let metrics = server.logLines { $0["message"]?.string == "metrics" }
        let port = try #require(metrics.first?["port"]?.integer.flatMap { UInt16(exactly: $0) })
        let sql = try database.session()
        let user = try sql.integer("insert into users (phone_number) values ('+821012345678') returning id")
        let client = try HTTPClient(port: server.port, offer: TLSClient.Offer())
        try client.send(TestServer.request("POST", World.api + "alimtalk", token: Token.access(user: user)))
        _ = try client.receive()
        let scrape = try HTTPClient(port: port)
        try scrape.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
        let text = try scrape.receive().text
        server.stop()
        return text
    }

    private static func samples() throws -> [Sample] {
        try metrics().split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            var labels: [String: String] = [:]
            for match in line.matches(of: /(\w+)="([^"]*)"/) { labels[String(match.output.1)] = String(match.output.2) }
            return Sample(name: String(line.prefix { $0 != "{" && $0 != " " }), labels: labels)
        }
    }

    private static func ruleExpressions() throws -> String {
        let lines = try DeploymentFile.text(rulesFile).split(separator: "\n")
        return lines.filter { !$0.contains("summary:") && !$0.contains("runbook_url:") && !$0.hasPrefix("#") }
            .joined(separator: "\n")
    }

    /// LuxDatabaseUnreachable.
    @Test func `while the database is stopped there is no connection to it`() async throws {
        try await onThread {
            let cluster = try TestCluster()
            let server = try TestServer.migrating(TestDatabase.makeEmpty(in: cluster))
            func connections() throws -> Double {
                try server.call("GET", "/metrics").text.split(separator: "\n")
                    .filter { $0.hasPrefix("lux_db_connections{") }
                    .reduce(0) { $0 + (Double($1.split(separator: " ").last ?? "") ?? .nan) }
            }
            func wait(until isSo: (Double) -> Bool) throws -> Bool {
                let deadline = Date(timeIntervalSinceNow: 30)
                while Date() < deadline {
                    if isSo(try connections()) { return true }
                    usleep(50_000)
                }
                return false
            }
            #expect(try wait { $0 >= 1 })
            cluster.stop()
            #expect(try wait { $0 == 0 })
            try cluster.start()
            #expect(try wait { $0 >= 1 })
            server.stop()
            cluster.stop()
        }
    }

    // MARK: The dashboard

    /// The expressions of all panels, with what Grafana fills in.
    private static func dashboardExpressions() throws -> [String] {
        let dashboard = try #require(JSONValue(try DeploymentFile.text("deploy/grafana.json")))
        return (dashboard["panels"]?.items ?? []).flatMap { $0["targets"]?.items ?? [] }.compactMap {
            $0["expr"]?.string?.replacing("$__rate_interval", with: "5m").replacing("$instance", with: ".*")
        }
    }

    @Test func `the dashboard can be imported and shows rate, errors, latency, saturation and logs`() throws {
        let dashboard = try #require(JSONValue(try DeploymentFile.text("deploy/grafana.json")))
        #expect(dashboard["schemaVersion"]?.integer ?? 0 >= 36)
        #expect(dashboard["uid"]?.string == "lux-server" && dashboard["title"]?.string == "LUX backend")
        let variables = dashboard["templating"]?["list"]?.items ?? []
        #expect(variables.compactMap { $0["type"]?.string } == ["datasource", "query"])
        let panels = dashboard["panels"]?.items ?? []
        #expect(Set(panels.compactMap { $0["id"]?.integer }).count == panels.count)
        var cells: Set<[Int64]> = []
        for panel in panels {
            let grid = try #require(panel["gridPos"])
            let place = ["x", "y", "w", "h"].compactMap { grid[$0]?.integer }
            try #require(place.count == 4 && place[0] + place[2] <= 24)
            for x in place[0]..<place[0] + place[2] {
                for y in place[1]..<place[1] + place[3] {
                    #expect(cells.insert([x, y]).inserted, "\(panel["title"]?.string ?? "") lies on another one")
                }
            }
            guard panel["type"]?.string != "row" else { continue }
            let targets = panel["targets"]?.items ?? []
            #expect(!targets.isEmpty, "\(panel["title"]?.string ?? "")")
            for target in [panel] + targets {
                #expect(target["datasource"]?["uid"]?.string == "${datasource}")
            }
        }
        let expressions = try Self.dashboardExpressions().joined(separator: "\n")
        for part in [
            "histogram_quantile(0.5,", "histogram_quantile(0.95,", "histogram_quantile(0.99,",
            "lux_http_requests_total",
            "lux_db_pool_size", "lux_db_waiting_requests", "lux_http_connections", "lux_http_requests_in_flight",
            "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
            "lux_devlog_records_total", "lux_alimtalk_messages_total", "lux_alimtalk_circuit",
        ] { #expect(expressions.contains(part), "\(part)") }
        // 501 and 505 are anybody's malformed requests.
        #expect(!expressions.contains("5..") && expressions.contains(#"status=~"500|503""#))
    }

    @Test func `each expression of the dashboard is PromQL`() throws {
        let expressions = try Self.dashboardExpressions()
        #expect(expressions.count > 20)
        let file = try makeTemporaryFolder() + "/rules.yml"
        let rules = expressions.enumerated().map { index, expression in
            "      - record: dashboard:expression_\(index)\n        expr: |\n          \(expression)\n"
        }
        try ("groups:\n  - name: dashboard\n    rules:\n" + rules.joined())
            .write(toFile: file, atomically: true, encoding: .utf8)
        let run = try Tool("promtool", ["check", "rules", file])
        #expect(run.isDone && run.output.contains("\(expressions.count) rules found"), "\(run.everything)")
    }

    // MARK: Prometheus itself

    @Test func `Prometheus reads the server with these files, and no rule fails`() async throws {
        try await onThread {
            let server = try TestServer(World.sharedDatabase, environment: ["LUX_METRICS_PORT": "0"])
            let metrics = server.logLines { $0["message"]?.string == "metrics" }
            let port = try #require(metrics.first?["port"]?.integer)
            let folder = try makeTemporaryFolder()
            let configuration = try DeploymentFile.text("deploy/prometheus.yml")
                .replacing("server:9464", with: "127.0.0.1:\(port)").replacing(": 15s", with: ": 1s")
            try configuration.write(toFile: folder + "/prometheus.yml", atomically: true, encoding: .utf8)
            try DeploymentFile.text(Self.rulesFile)
                .write(toFile: folder + "/prometheus.rules.yml", atomically: true, encoding: .utf8)
            let own = try TestCluster.freePort()
            let prometheus = try ChildProcess(
                "/usr/bin/prometheus",
                [
                    "--config.file=\(folder)/prometheus.yml", "--storage.tsdb.path=\(folder)/data",
                    "--web.listen-address=127.0.0.1:\(own)",
                ], folder: folder)
            defer { prometheus.signal(SIGTERM) }
            func get(_ target: String) -> JSONValue? {
                guard let client = try? HTTPClient(port: own) else { return nil }
                // Without chunks, which this client does not read.
                try? client.send("GET /api/v1/\(target) HTTP/1.0\r\nHost: h\r\n\r\n")
                return (try? client.receive())?.json?["data"]
            }
            let deadline = Date(timeIntervalSinceNow: 60)
            var health: [String] = []
            var isUp = false
            repeat {
                usleep(200_000)
                health = get("rules")?["groups"]?[0]?["rules"]?.items?.compactMap { $0["health"]?.string } ?? []
                isUp = get("query?query=lux_db_pool_size")?["result"]?[0]?["value"]?[1]?.string == "8"
            } while Date() < deadline && (!isUp || health.isEmpty || health.contains("unknown"))
            #expect(isUp, "\(prometheus.errors)")
            #expect(try health == Array(repeating: "ok", count: Self.alerts().count))
            server.stop()
        }
    }
}
