import EventLoop
import Foundation
import Glibc
import LUXServer
import LUXTestSupport
import Systemd
import Testing

/// A server whose listening socket and state belong to a service manager.
///
/// `LUX_RESTARTS` changes how often it is restarted under load; see `Scripts/drill-restart`.
@Suite struct RestartTests {
    private static let times = ProcessInfo.processInfo.environment["LUX_RESTARTS"].flatMap { Int($0) } ?? 2

    /// What became of connections that were opened at a constant rate.
    private struct Outcomes {
        var statuses: [Int: Int] = [:]
        var failures: [String] = []
        var slowest = 0.0
        var pending = 0
    }

    @Test func `no connection is rejected and no upload is lost while the server is restarted`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let manager = try ServiceManagerStandIn()
            var server = try manager.start(database)
            let world = try World(database, server)
            let families = try (0..<8).map { _ in try world.family() }
            let uploads = families.map { family in
                { @Sendable (file: Int) in
                    let record = World.record(
                        child: family.child, device: family.device, date: "2025-05-01T10:00:00Z", flag: 1,
                        file: Int64(file))
                    return TestServer.request(
                        "POST", World.api + "devlog", token: Token.access(user: family.user),
                        headers: [("Connection", "close")], body: World.logArrays([record]))
                }
            }
            let (outcomes, stopped, finished) = (Guarded(Outcomes()), Flag(), Flag())
            let port = manager.port
            Thread.detachNewThread {
                let start = Date()
                var opened = 0
                while !stopped.isSet {
                    opened += 1
                    let request = uploads[opened % uploads.count](opened)
                    outcomes.withLock { $0.pending += 1 }
                    Thread.detachNewThread { Self.send(request, to: port, outcomes) }
                    let next = start.addingTimeInterval(Double(opened) / 100)
                    if next > Date() { Thread.sleep(until: next) }
                }
                finished.set()
            }
            var downTimes: [Double] = []
            for _ in 0..<Self.times {
                Thread.sleep(forTimeInterval: 1)
                let unfinished = try HTTPClient(port: port)
                try unfinished.send("POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n")
                let begin = Date()
                server.stop()
                server = try manager.start(database)
                downTimes.append(Date().timeIntervalSince(begin))
            }
            Thread.sleep(forTimeInterval: 1)
            stopped.set()
            for _ in 0..<3_000 where !finished.isSet || outcomes.withLock({ $0.pending }) > 0 { usleep(10_000) }
            let result = outcomes.withLock { $0 }
            #expect(result.failures.isEmpty, "\(Set(result.failures)) \(result.failures.count)")
            #expect(Set(result.statuses.keys) == [200], "\(result.statuses)")
            let sent = result.statuses.values.reduce(0, +)
            #expect(sent >= 100 * Self.times && result.pending == 0)
            #expect(try world.sql.integer("select count(distinct log_file_id) from device_logs") == Int64(sent))
            let slowest = downTimes.max() ?? 0
            print(
                "restarts: \(Self.times), connections: \(sent), refused: \(result.failures.count), lost: 0,"
                    + " longest restart: \(slowest.formatted(.number.precision(.fractionLength(2)))) s,"
                    + " slowest response: \(result.slowest.formatted(.number.precision(.fractionLength(2)))) s")
            server.stop()
        }
    }

    private static func send(_ request: String, to port: UInt16, _ outcomes: Guarded<Outcomes>) {
        let begin = Date()
        let result = Result { () throws -> Int in
            let client = try HTTPClient(port: port, timeout: 20)
            try client.send(request)
            return try client.receive().status
        }
        outcomes.withLock { outcomes in
            outcomes.pending -= 1
            outcomes.slowest = max(outcomes.slowest, Date().timeIntervalSince(begin))
            switch result {
            case .success(let status): outcomes.statuses[status, default: 0] += 1
            case .failure(let error): outcomes.failures.append("\(error)")
            }
        }
    }

    @Test func `reports ready, each reload, that it is alive, and its end`() async throws {
        try await onThread {
            let manager = try ServiceManagerStandIn()
            let certificate = try TestCertificate()
            let server = try manager.start(
                try TestDatabase.make(),
                environment: certificate.environment.merging(["WATCHDOG_USEC": "200000", "LUX_SHUTDOWN_DELAY": "1"]) {
                    $1
                })
            #expect(manager.waits(for: "WATCHDOG=1", count: 3))
            server.process.signal(SIGHUP)
            #expect(manager.waits(for: "READY=1", count: 2))
            let reload = try #require(manager.messages.firstIndex { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") })
            let end = try #require(manager.messages.lastIndex(of: "READY=1"))
            #expect(reload < end)
            let read = server.logLines { $0["message"]?.string == "certificate and key were read" }
            #expect(!read.isEmpty)
            server.stop()
            // A delay of 1 s, 10 s for requests in flight, and a reserve.
            #expect(manager.messages.contains("STOPPING=1\nEXTEND_TIMEOUT_USEC=16000000"))
        }
    }

    @Test func `a loop that hangs ends the reports of the watchdog`() async throws {
        try await onThread {
            let standIn = try ServiceManagerStandIn()
            let loops = try (0..<2).map { try EventLoop(label: "test.\($0)") }
            for loop in loops { loop.start() }
            let manager = ServiceManager(
                environment: standIn.environment.merging(["WATCHDOG_USEC": "100000"]) { $1 })
            let watchdog = try #require(LoopWatchdog(loops, reportingTo: manager))
            #expect(standIn.waits(for: "WATCHDOG=1", count: 3))
            let gate = DispatchSemaphore(value: 0)
            let hangs = Flag()
            loops[1].execute {
                hangs.set()
                gate.wait()
            }
            while !hangs.isSet { usleep(1_000) }
            usleep(60_000)
            let before = standIn.count(of: "WATCHDOG=1")
            usleep(400_000)
            #expect(standIn.count(of: "WATCHDOG=1") <= before + 1)
            gate.signal()
            #expect(standIn.waits(for: "WATCHDOG=1", count: before + 3))
            watchdog.stop()
            for loop in loops { loop.stop() }
        }
    }

    @Test func `a socket that no variable names is a configuration error`() async throws {
        try await onThread {
            let manager = try ServiceManagerStandIn()
            let failure = #expect(throws: TestServer.StartFailure.self) {
                try manager.start(try TestDatabase.make(), environment: ["LUX_PORT": "1"])
            }
            let text = failure?.description ?? ""
            #expect(text.contains("LISTEN_FDS: the service manager passed a socket of port \(manager.port)"), "\(text)")
        }
    }
}
