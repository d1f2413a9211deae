import ArgumentParser
import Bytes
import Dispatch
import FoundationEssentials
import Glibc
import JWT
import LUXSimulation

/// Simulated phones for a running server. `Scripts/simulate` starts one with a database and calls this.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lux-simulate", abstract: "Simulate the phones of an evening.",
        subcommands: [EveningCommand.self, EndpointsCommand.self], defaultSubcommand: EveningCommand.self)
}

/// What every subcommand is about.
struct TargetOptions: ParsableArguments {
    @Option(help: "A server, as IPv4 address and port; may be given several times.")
    var server: [String]

    @Option(help: "The database of the server, for rows before and for the checks after.")
    var database: String

    @Option(help: "The file with the secret that signs tokens.")
    var secretFile: String

    @Option(help: "Process ids of servers on this machine, whose CPU time is reported.")
    var pid: [Int] = []

    @Option(help: "How many devices there are.")
    var devices = 1_000

    func addresses() throws -> [ServerAddress] {
        try server.map { text in
            guard let address = ServerAddress(text) else { throw ValidationError("--server must be ADDRESS:PORT") }
            return address
        }
    }

    func signer() throws -> JWTSigner {
        let text = try String(contentsOfFile: secretFile, encoding: .utf8)
        return try JWTSigner(hs256Secret: Array(text.trimmingWhitespace().utf8))
    }
}

/// `lux-simulate evening`
struct EveningCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evening", abstract: "Behave as phones do, then check all rows.")

    @OptionGroup var target: TargetOptions

    @Option(help: "Length of the evening in simulated minutes.")
    var minutes = 60.0

    @Option(help: "Simulated seconds in one second.")
    var speed = 60.0

    @Option(help: "Another seed is another evening.")
    var seed: UInt64 = 1

    @Option(help: "Open connections at most.")
    var connections = 2_000

    enum Network: String, ExpressibleByArgument { case breaking, steady }

    @Option(help: "Whether some phones lose the network under an upload: breaking, steady.")
    var network = Network.breaking

    enum Shape: String, ExpressibleByArgument { case peak, flat }

    @Option(help: "How phones wake over the evening: peak, flat.")
    var shape = Shape.peak

    @Flag(help: "Fail if any request has no response 200.")
    var complete = false

    func run() throws {
        let database = try SimulationDatabase(target.database)
        try database.provision(devices: target.devices)
        var options = SimulationOptions()
        options.devices = target.devices
        options.minutes = minutes
        options.speed = speed
        options.seed = seed
        options.connections = connections
        options.breaksNetwork = network == .breaking
        options.isFlat = shape == .flat
        let simulation = try Simulation(
            options, servers: target.addresses(), signer: target.signer(), epoch: Int64(Date().timeIntervalSince1970))
        let postmaster = try database.postmaster()
        let cpu = {
            (
                server: target.pid.reduce(0) { $0 + ProcessTime.seconds(pid: $1) },
                database: postmaster.map { ProcessTime.secondsOfFamily(pid: $0) } ?? 0,
                own: ProcessTime.seconds(pid: Int(getpid()))
            )
        }
        let (before, cpuBefore) = (try database.size(), cpu())
        let signals = stopSignals(simulation)
        simulation.run()
        signals.forEach { $0.cancel() }
        // The node of before may be gone.
        let stored = try SimulationDatabase(target.database)
        let (after, cpuAfter) = (try stored.size(), cpu())
        let report = SimulationReport(
            figures: simulation.figures, before: before, after: after,
            serverSeconds: cpuAfter.server - cpuBefore.server, databaseSeconds: cpuAfter.database - cpuBefore.database,
            ownSeconds: cpuAfter.own - cpuBefore.own)
        print(report.lines.joined(separator: "\n"))
        let differences = try stored.differences(simulation.acknowledged)
        let logs = simulation.acknowledged.reduce(0) { $0 + Int($1.count) }
        print(
            "checked: \(logs) acknowledged logs of \(simulation.acknowledged.count) devices, "
                + "\(simulation.acknowledged.count { $0.isUnsettled }) devices with an upload in flight at the end")
        for kind in AcknowledgedLogs.Difference.allCases {
            print("  \(kind.rawValue): \(differences[kind].map { "\($0.count), first device \($0.example)" } ?? "0")")
        }
        guard differences.isEmpty, simulation.figures.unexpected.isEmpty, !complete || simulation.figures.failures == 0
        else { throw ExitCode.failure }
    }

    /// SIGINT and SIGTERM end the evening early; the report follows.
    private func stopSignals(_ simulation: Simulation) -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: DispatchQueue(label: "signals"))
            source.setEventHandler { simulation.stop() }
            source.resume()
            return source
        }
    }
}

/// `lux-simulate endpoints`
struct EndpointsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints",
        abstract: "Measure what each endpoint costs server and database, and what this program can do.")

    @OptionGroup var target: TargetOptions

    @Option(help: "Seconds for each endpoint.")
    var seconds = 3.0

    @Option(help: "Connections.")
    var connections = 64

    @Option(help: "Logs that the database has before, of all devices together.")
    var logs = 0

    @Option(help: "Records of a backlog.")
    var records = 50

    @Option(help: "Only this endpoint.")
    var only: String?

    func run() throws {
        let database = try SimulationDatabase(target.database)
        if try !database.isProvisioned() {
            try database.provision(devices: target.devices)
            try database.provision(logs: logs, devices: target.devices)
        }
        try database.writeNoPageImages()
        guard let address = try target.addresses().first else { throw ValidationError("--server is required") }
        let signer = try target.signer()
        let postmaster = try database.postmaster()
        print(EndpointCost.heading)
        let epoch = Int64(Date().timeIntervalSince1970) - 40_000_000
        let endpoints = PhoneRequest.Endpoint.allCases.filter {
            $0 != .lateRepeat && (only == nil || $0.rawValue == only)
        }
        for (place, endpoint) in endpoints.enumerated() {
            let load = try EndpointLoad(
                endpoint, devices: target.devices, connections: connections, server: address, signer: signer,
                epoch: epoch, firstFile: Int32(place * 1_000 + logs / target.devices + 1), records: Int32(records))
            let before = try database.size()
            let cpu = target.pid.reduce(0) { $0 + ProcessTime.seconds(pid: $1) }
            let own = ProcessTime.seconds(pid: Int(getpid()))
            let databaseCPU = postmaster.map { ProcessTime.secondsOfFamily(pid: $0) } ?? 0
            let written = postmaster.map { ProcessTime.bytesWrittenByFamily(pid: $0) } ?? 0
            load.run(seconds: seconds)
            let databaseSeconds = (postmaster.map { ProcessTime.secondsOfFamily(pid: $0) } ?? 0) - databaseCPU
            let wal = try database.size().wal - before.wal
            // The changed pages of tables and indexes are written with the next checkpoint.
            try database.checkpoint()
            print(
                EndpointCost(
                    endpoint: endpoint, figures: load.figures,
                    server: target.pid.reduce(0) { $0 + ProcessTime.seconds(pid: $1) } - cpu,
                    database: databaseSeconds,
                    generator: ProcessTime.seconds(pid: Int(getpid())) - own, wal: wal,
                    written: (postmaster.map { ProcessTime.bytesWrittenByFamily(pid: $0) } ?? 0) - written
                ).line)
        }
    }
}
