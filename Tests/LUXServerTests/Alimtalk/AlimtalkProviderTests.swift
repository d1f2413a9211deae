import Foundation
import LUXTestSupport
import Testing

/// POST alimtalk through each provider, with a stand-in.
@Suite struct AlimtalkProviderTests {
    private static let number = "+821093847561"

    /// Status, message id and error of a user's rows.
    private func rows(_ world: World, _ user: Int64) throws -> [[String?]] {
        try world.sql.query(
            "select provider, status, message_id, error from alimtalks where user_id = $1 order by id", [String(user)])
    }

    /// The counts of messages by outcome, without accepted ones and zeros.
    private func counted(_ world: World) throws -> [String: Int] {
        let name = "lux_alimtalk_messages_total{"
        let lines = try world.server.call("GET", "/metrics").text.split(separator: "\n")
        let samples = lines.filter { $0.hasPrefix(name) }
        let counts = samples.compactMap { sample in
            sample.firstMatch(of: /outcome="([a-z_]+)"} ([0-9]+)/).map { (String($0.1), Int($0.2) ?? 0) }
        }
        return Dictionary(uniqueKeysWithValues: counts).filter { $0.key != "accepted" && $0.value > 0 }
    }

    @Test(arguments: AlimtalkKit.allCases)
    func `each reply of a provider has its outcome, its row and its number of calls`(_ kit: AlimtalkKit) async throws {
        try await onThread {
            let provider = try FakeProvider()
            let world = try World.own(environment: kit.environment(provider.baseURL))
            let accepted = kit.accepted
            var expected: [String: Int] = [:]
            for test in kit.ownCases + kit.commonCases {
                // Success in between keeps the circuit breaker closed.
                provider.reset(to: accepted.reply)
                let other = try world.user(phone: Self.number)
                expect(try world.call("POST", "alimtalk", as: other), json: "null", "before \(test.name)")
                let sent = try rows(world, other)
                #expect(sent == [[kit.rawValue, "sent", accepted.id, nil]], "before \(test.name) → \(sent)")
                #expect(provider.connections == 1)

                provider.reset(to: test.behaviour)
                let user = try world.user(phone: Self.number)
                let began = Date()
                expect(try world.call("POST", "alimtalk", as: user), 409, "Alimtalk send failed", test.name)
                let seconds = Date().timeIntervalSince(began)
                #expect(seconds < Sanitizer.seconds(5.5), "\(test.name) took \(seconds) s")
                let found = try rows(world, user)
                #expect(found.count == 1 && found[0][2] == nil, "\(test.name) → \(found)")
                #expect(found.first?[1] == test.verdict.row, "\(test.name) → \(found)")
                let error = found.first?[3] ?? ""
                #expect(error.contains(test.error) && !error.isEmpty, "\(test.name) → \(error)")
                let calls = provider.connections
                #expect(test.calls == 1 ? calls == 1 : calls > 1 && calls <= 3, "\(test.name): \(calls) calls")
                expected[test.verdict.counted, default: 0] += 1
                let counts = try counted(world)
                #expect(counts == expected, "\(test.name)")
                expected = counts
            }
            let metrics = try world.server.call("GET", "/metrics").text
            #expect(metrics.contains("lux_alimtalk_messages_total{provider=\"\(kit.rawValue)\""))
            let everything = world.server.process.output + world.server.process.errors
            let table = try world.sql.query("select a::text from alimtalks a").compactMap { $0[0] }.joined()
            for hidden in ["93847561", "9384-7561", "전극"] + AlimtalkKit.hidden {
                for text in [everything, table, metrics] { #expect(!text.contains(hidden), "\(hidden)") }
            }
            #expect(everything.contains("\(kit.rawValue): "), "the log has the reason")
            world.server.stop()
        }
    }

    @Test(arguments: AlimtalkKit.allCases)
    func `a provider that cannot be reached is not called, and the row has the reason`(_ kit: AlimtalkKit) async throws
    {
        try await onThread {
            // A port without a listener, and a name that no host has (RFC 6761).
            let port = try FakeProvider().port
            for (url, error) in [("http://127.0.0.1:\(port)", "connect"), ("http://nobody.invalid", "resolve")] {
                let world = try World.own(environment: kit.environment(url))
                let user = try world.user(phone: Self.number)
                expect(try world.call("POST", "alimtalk", as: user), 409, "Alimtalk send failed", url)
                let found = try rows(world, user)
                #expect(found.count == 1 && found[0][1] == "failed", "\(found)")
                #expect(found.first?[3]?.contains(error) == true, "\(found)")
                #expect(found.first?[3]?.contains("LUX_ALIMTALK_BASE_URL") == true, "\(found)")
                world.server.stop()
            }
        }
    }

    @Test func `what a provider rejects once and then accepts is sent once, after the required pause`() async throws {
        try await onThread {
            for kit in AlimtalkKit.allCases {
                let provider = try FakeProvider()
                let world = try World.own(
                    environment: kit.environment(provider.baseURL, ["LUX_ALIMTALK_TIMEOUT": "4"]))
                let accepted = kit.accepted
                let first = Flag()
                provider.reset(responding: { _ in
                    if first.isSet { return accepted.reply }
                    first.set()
                    return .reply(429, "", headers: ["Retry-After: 1"])
                })
                let user = try world.user(phone: Self.number)
                let began = Date()
                expect(try world.call("POST", "alimtalk", as: user), json: "null")
                #expect(Date().timeIntervalSince(began) >= 1)
                #expect(try rows(world, user) == [[kit.rawValue, "sent", accepted.id, nil]])
                let requests = provider.requests
                #expect(requests.count == 2)
                // Signed again, but the same message.
                #expect(requests.first?.body == requests.last?.body)
                let keys = Set(requests.map { $0.header("X-NC-API-IDEMPOTENCY-KEY") })
                #expect(keys.count == 1 && (kit == .nhn) == (keys.first != .some(nil)))
                let signed = requests.map { $0.header("Authorization") ?? $0.header("x-ncp-apigw-signature-v2") ?? "" }
                #expect(kit == .nhn || kit == .aligo || signed[0] != signed[1])
                for request in requests { try kit.expectSignature(of: request) }
                world.server.stop()
            }
        }
    }

    @Test func `a request within the cooldown of a message in flight waits for its outcome`() async throws {
        try await onThread {
            let kit = AlimtalkKit.nhn
            for (reply, isSent) in [(kit.rejection("-3003"), false), (kit.accepted.reply, true)] {
                let (provider, isOver) = (try FakeProvider(), Flag())
                provider.reset(responding: { _ in
                    while !isOver.isSet { usleep(10_000) }
                    return reply
                })
                let world = try World.own(
                    environment: kit.environment(provider.baseURL, ["LUX_ALIMTALK_COOLDOWN": "60"]))
                let token = Token.access(user: try world.user(phone: "+821093847561"))
                let clients = try (0..<3).map { _ in
                    let client = try world.server.connect()
                    try client.send(TestServer.request("POST", World.api + "alimtalk", token: token))
                    return client
                }
                for _ in 0..<1_000 where provider.requests.isEmpty { usleep(10_000) }
                // Time for a wrong response to the others.
                usleep(300_000)
                isOver.set()
                for client in clients {
                    if isSent {
                        expect(try client.receive(), json: "null")
                    } else {
                        expect(try client.receive(), 409, "Alimtalk send failed")
                    }
                }
                #expect(provider.requests.count == 1)
                #expect(try world.sql.integer("select count(*) from alimtalks") == 1)
                world.server.stop()
            }
        }
    }

    @Test func `a request within the cooldown gets 200 and sends nothing`() async throws {
        try await onThread {
            let provider = try FakeProvider()
            let kit = AlimtalkKit.nhn
            let world = try World.own(environment: kit.environment(provider.baseURL, ["LUX_ALIMTALK_COOLDOWN": "60"]))
            let users = try (0..<2).map { _ in try world.user(phone: Self.number) }
            provider.reset(to: .reply(400, ""))
            #expect(try world.call("POST", "alimtalk", as: users[0]).status == 409)
            provider.reset(to: kit.accepted.reply)
            // Neither failed nor unknown ones count, nor pending ones of a process that is gone.
            try world.sql.query(
                """
                insert into alimtalks (user_id, provider, status, created_at)
                values ($1, 'nhn', 'pending', now() - interval '11 seconds'), ($1, 'nhn', 'unknown', now())
                """, [String(users[0])])
            for _ in 0..<3 { expect(try world.call("POST", "alimtalk", as: users[0]), json: "null") }
            #expect(provider.connections == 1)
            let states = try rows(world, users[0]).map { $0[1] }
            #expect(states == ["failed", "pending", "unknown", "sent"], "\(states)")
            expect(try world.call("POST", "alimtalk", as: users[1]), json: "null")
            #expect(provider.connections == 2)

            // Of many at the same time one is sent.
            let racer = try world.user(phone: Self.number)
            let server = world.server
            let token = Token.access(user: racer)
            let statuses = try simultaneously(8) { _ in
                try server.call("POST", World.api + "alimtalk", token: token).status
            }
            #expect(statuses == Array(repeating: 200, count: 8))
            #expect(provider.connections == 3)
            #expect(try rows(world, racer).count == 1)

            try world.sql.query(
                "update alimtalks set created_at = now() - interval '61 seconds' where user_id = $1", [String(users[1])]
            )
            expect(try world.call("POST", "alimtalk", as: users[1]), json: "null")
            #expect(provider.connections == 4)
            world.server.stop()
        }
    }
}
