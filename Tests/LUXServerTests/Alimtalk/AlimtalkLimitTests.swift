import Foundation
import LUXTestSupport
import Testing

/// POST alimtalk to a provider that does not respond: slots for calls in flight, a circuit breaker, and their metrics.
@Suite struct AlimtalkLimitTests {
    private static let calls = 70
    /// An account's share of the 16 slots, and how many of its calls may wait.
    private static let (share, waiting) = (4, 50)

    private func sample(_ server: TestServer, _ name: String) throws -> Double? {
        let text = try server.call("GET", "/metrics").text
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line.flatMap { Double($0.dropFirst(name.count + 1)) }
    }

    private func circuit(_ server: TestServer) throws -> [Double?] {
        try ["closed", "half_open", "open"].map { try sample(server, "lux_alimtalk_circuit{state=\"\($0)\"}") }
    }

    private func threads(_ server: TestServer) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(server.process.pid)/task").count
    }

    @Test func `calls to a provider that hangs leave the other endpoints alone, and an account has its share of them`()
        async throws
    {
        try await onThread {
            let (provider, isMeasured) = (try FakeProvider(), Flag())
            provider.reset(responding: { _ in
                while !isMeasured.isSet { usleep(10_000) }
                return .resetAfter
            })
            let kit = AlimtalkKit.sens
            let world = try World.own(
                environment: kit.environment(
                    provider.baseURL,
                    // The connection of `world` waits for all of it.
                    ["LUX_REQUEST_TIMEOUT": "60", "LUX_ALIMTALK_TIMEOUT": "50", "LUX_IDLE_TIMEOUT": "600"]))
            let (user, child, _) = try world.family()
            try world.sql.query("update users set phone_number = '+821093847561' where id = $1", [String(user)])
            let (server, token) = (world.server, Token.access(user: user))
            #expect(try circuit(server) == [1, 0, 0])
            let before = try threads(server)
            let (done, rejected) = (Counter(), Counter())
            for _ in 0..<Self.calls {
                Thread.detachNewThread {
                    let client = try? server.connect(timeout: 90)
                    try? client?.send(TestServer.request("POST", World.api + "alimtalk", token: token))
                    if (try? client?.receive(to: "POST"))?.status == 409 { rejected.increment() }
                    done.increment()
                }
            }
            // Those that find no room to wait are rejected, while those within the share still hang.
            let beyond = Self.calls - Self.share - Self.waiting
            for _ in 0..<2_000 where rejected.value < beyond || provider.requests.count < Self.share { usleep(20_000) }
            #expect(rejected.value == beyond && done.value == beyond && provider.requests.count == Self.share)
            #expect(try sample(server, "lux_alimtalk_in_flight") == Double(Self.share))
            #expect(try circuit(server) == [1, 0, 0])
            let more = try threads(server) - before
            // One for each call; the rest belongs to the pool of the language's runtime.
            #expect((Self.share..<Self.share + 16).contains(more), "\(more) threads")
            for _ in 0..<200 {
                #expect(try world.call("GET", "child-device?real_user_id=\(child)", as: user).status == 200)
            }
            #expect(done.value == beyond, "sent while all calls hang")
            isMeasured.set()
            for _ in 0..<2_000 where done.value < Self.calls { usleep(20_000) }
            #expect(rejected.value == Self.calls)
            let rows = try world.sql.query("select status, count(*) from alimtalks group by 1 order by 1")
            #expect(rows.map { $0[0] } == ["failed", "unknown"])
            #expect(rows.compactMap { $0[1].flatMap { Int($0) } }.reduce(0, +) == Self.calls)

            // After so many failures no request is sent for a while, then one as a probe.
            #expect(try circuit(server) == [0, 0, 1] && sample(server, "lux_alimtalk_in_flight") == 0)
            provider.reset(to: kit.accepted.reply)
            #expect(try world.call("POST", "alimtalk", as: user).status == 409)
            #expect(provider.connections == 0)
            for _ in 0..<1_000 where try circuit(server) != [0, 1, 0] { usleep(20_000) }
            #expect(try circuit(server) == [0, 1, 0])
            expect(try world.call("POST", "alimtalk", as: user), json: "null")
            expect(try world.call("POST", "alimtalk", as: user), json: "null")
            #expect(try circuit(server) == [1, 0, 0])
            for state in ["open", "closed"] {
                let lines = world.server.logLines { $0["state"]?.string == state }
                #expect(!lines.isEmpty, "\(state)")
            }
            let counts = try ["accepted", "try_later", "unknown", "refused"].map {
                try sample(server, "lux_alimtalk_messages_total{provider=\"sens\",outcome=\"\($0)\"}")
            }
            #expect(counts[0] == 2 && counts[3] == 0)
            #expect((counts[1] ?? 0) + (counts[2] ?? 0) == Double(Self.calls + 1))
            world.server.stop()
        }
    }
}
