/// What a simulation prints at its end.
package struct SimulationReport: Sendable {
    package var figures: SimulationFigures
    package var before: SimulationDatabase.Size
    package var after: SimulationDatabase.Size
    /// CPU of the servers, of the database and of this program; 0 where they run elsewhere.
    package var serverSeconds: Double
    package var databaseSeconds: Double
    package var ownSeconds: Double

    package init(
        figures: SimulationFigures, before: SimulationDatabase.Size, after: SimulationDatabase.Size,
        serverSeconds: Double, databaseSeconds: Double, ownSeconds: Double
    ) {
        self.figures = figures
        self.before = before
        self.after = after
        self.serverSeconds = serverSeconds
        self.databaseSeconds = databaseSeconds
        self.ownSeconds = ownSeconds
    }

    package var lines: [String] {
        let requests = Double(max(1, figures.requests))
        func micros(_ seconds: Double) -> String { SimulationFigures.decimal(seconds / requests * 1e6, places: 1) }
        func mebibytes(_ bytes: Int64) -> String {
            SimulationFigures.decimal(Double(bytes) / 1_048_576, places: 1) + " MiB"
        }
        func part(_ some: Int64, _ all: Int64) -> String {
            all == 0 ? "none" : SimulationFigures.decimal(100 * Double(some) / Double(all), places: 1) + " %"
        }
        var lines = figures.lines
        lines += [
            "",
            "\(figures.requests) requests in \(SimulationFigures.decimal(figures.seconds, places: 1)) s, "
                + "\(Int(requests / max(figures.seconds, 0.001))) a second; \(figures.begun) uses begun, \(figures.ended) ended",
            "\(figures.retries) retries, \(figures.timeouts) timeouts, \(figures.connections) connections, "
                + "\(figures.stale) of them closed by the server between two requests, \(figures.renewals) tokens renewed",
            "latest request: \(SimulationFigures.decimal(figures.latest, places: 2)) s behind the schedule",
            "CPU for each request: server \(micros(serverSeconds)) µs, database \(micros(databaseSeconds)) µs, "
                + "this program \(micros(ownSeconds)) µs",
            "WAL \(mebibytes(after.wal - before.wal)), \(Int(Double(after.wal - before.wal) / requests)) bytes for each request; "
                + "\(after.commits - before.commits) commits",
            "database \(mebibytes(after.database)) (+\(mebibytes(after.database - before.database))), device_logs "
                + "\(mebibytes(after.logs)), its indexes \(mebibytes(after.indexes))",
            "updates in place (HOT): device_logs "
                + part(after.hotUpdates - before.hotUpdates, after.updates - before.updates)
                + ", devices "
                + part(after.devicesHot - before.devicesHot, after.devicesUpdates - before.devicesUpdates),
        ]
        let gaps = figures.gaps.map {
            "\(SimulationFigures.decimal($0.seconds, places: 1)) s at \(SimulationFigures.decimal($0.at, places: 1)) s"
        }
        if !gaps.isEmpty { lines.append("no upload acknowledged for " + gaps.joined(separator: ", ")) }
        return lines + figures.unexpected.map { "unexpected: \($0)" }
    }
}

/// What one endpoint costs.
package struct EndpointCost: Sendable {
    package var endpoint: PhoneRequest.Endpoint
    package var figures: SimulationFigures
    /// Seconds of CPU.
    package var server: Double
    package var database: Double
    package var generator: Double
    /// Bytes of WAL, without images of pages.
    package var wal: Int64
    /// Bytes that PostgreSQL wrote to the disk, the checkpoint after the load included.
    package var written: Int64

    package init(
        endpoint: PhoneRequest.Endpoint, figures: SimulationFigures, server: Double, database: Double,
        generator: Double, wal: Int64, written: Int64
    ) {
        self.endpoint = endpoint
        self.figures = figures
        self.server = server
        self.database = database
        self.generator = generator
        self.wal = wal
        self.written = written
    }

    package static let heading = SimulationFigures.row([
        "endpoint", "requests/s", "server µs", "database µs", "load µs", "WAL bytes", "written", "p50 ms", "p99 ms",
        "statuses",
    ])

    package var line: String {
        let latencies = figures.endpoints[endpoint]?.latencies ?? Latencies()
        let requests = Double(max(1, latencies.count))
        let statuses = (figures.endpoints[endpoint]?.statuses ?? [:]).sorted { $0.key < $1.key }
        return SimulationFigures.row([
            endpoint.rawValue, "\(Int(requests / max(figures.seconds, 0.001)))",
            SimulationFigures.decimal(server / requests * 1e6, places: 1),
            SimulationFigures.decimal(database / requests * 1e6, places: 1),
            SimulationFigures.decimal(generator / requests * 1e6, places: 1),
            "\(Int(Double(wal) / requests))", "\(Int(Double(written) / requests))",
            SimulationFigures.milliseconds(latencies.percentile(0.5)),
            SimulationFigures.milliseconds(latencies.percentile(0.99)),
            statuses.map { "\($0.key): \($0.value)" }.joined(separator: ", "),
        ])
    }
}
