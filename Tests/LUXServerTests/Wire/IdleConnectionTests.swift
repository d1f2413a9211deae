import Foundation
import LUXTestSupport
import Testing

/// Connections that are idle for longer than half a second have no task: they go on, and end, like others.
@Suite struct IdleConnectionTests {
    private static let request = TestServer.request("GET", "/healthz")
    /// Longer than `HTTPConnection.parkTime` and a tick.
    private static let longIdle = 0.8

    @Test func `serves requests after a long pause, several at once too`() async throws {
        try await onThread {
            let client = try World.sharedServer.connect()
            for count in [1, 3, 1] {
                Thread.sleep(forTimeInterval: Self.longIdle)
                try client.send(String(repeating: Self.request, count: count))
                for _ in 0..<count { #expect(try client.receive().status == 200) }
            }
            Thread.sleep(forTimeInterval: Self.longIdle)
            try client.send(String(Self.request.prefix(20)))
            Thread.sleep(forTimeInterval: Self.longIdle)
            try client.send(String(Self.request.dropFirst(20)))
            #expect(try client.receive().status == 200, "a header section that pauses is not idle")
        }
    }

    @Test func `ends at the idle time, when the client leaves, and when the server stops`() async throws {
        try await onThread {
            let server = try TestServer(World.sharedDatabase, environment: ["LUX_IDLE_TIMEOUT": "2"])
            func idle() throws -> HTTPClient {
                let client = try server.connect(timeout: 6)
                try client.send(Self.request)
                #expect(try client.receive().status == 200)
                return client
            }
            let began = Date()
            #expect(try idle().isEnded())
            #expect((1.9..<4).contains(Date().timeIntervalSince(began)))

            // Connections to the database come and go meanwhile.
            let before = ProcessUsage(of: server.process.pid).descriptors
            do {
                let leaving = try (0..<20).map { _ in try idle() }
                Thread.sleep(forTimeInterval: Self.longIdle)
                withExtendedLifetime(leaving) {
                    #expect(ProcessUsage(of: server.process.pid).descriptors >= before + 15)
                }
            }
            for _ in 0..<100 where ProcessUsage(of: server.process.pid).descriptors > before + 3 { usleep(10_000) }
            #expect(ProcessUsage(of: server.process.pid).descriptors <= before + 3)

            let last = try idle()
            Thread.sleep(forTimeInterval: Self.longIdle)
            let stopped = Date()
            server.process.signal(SIGTERM)
            #expect(try last.isEnded())
            #expect(Date().timeIntervalSince(stopped) < 1)
            #expect(server.process.wait(seconds: 10) == .exit(0))
        }
    }

    /// A release build: 5.4 KiB each, 12.2 before idle connections gave up their tasks.
    @Test func `costs little memory`() async throws {
        try await onThread {
            raiseDescriptorLimit()
            let server = try TestServer(
                World.sharedDatabase,
                environment: [
                    "LUX_LOOPS": "1", "LUX_MAX_CONNECTIONS_PER_CLIENT": "4000", "LUX_IDLE_TIMEOUT": "600",
                ])
            let pid = server.process.pid
            let before = ProcessUsage(of: pid).memory
            let clients = try (0..<3_000).map { _ in try server.connect() }
            for client in clients { try client.send(Self.request) }
            for client in clients { #expect(try client.receive().status == 200) }
            func memoryOfEach() -> Int { (ProcessUsage(of: pid).memory - before) * 1_024 / clients.count }
            let limit = 8_000 * Sanitizer.factor
            for _ in 0..<300 where memoryOfEach() > limit { usleep(100_000) }
            #expect(memoryOfEach() <= limit)
            for client in clients { try client.send(Self.request) }
            for client in clients { #expect(try client.receive().status == 200) }
            server.stop()
        }
    }
}
