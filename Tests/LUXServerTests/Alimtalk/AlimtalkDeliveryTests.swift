import Foundation
import LUXTestSupport
import Testing

/// Delivery results of accepted messages: polls, and the web hook that causes one.
@Suite struct AlimtalkDeliveryTests {
    private static let secret = "hook-secret_0123456789"

    /// The list of results with one for the kit's accepted message.
    private static func result(_ kit: AlimtalkKit, delivered: Bool) -> String {
        switch kit {
        case .nhn:
            #"{"header":{"resultCode":0,"isSuccessful":true},"messages":[{"requestId":"20261125-A","recipientSeq":1,"#
                + (delivered
                    ? #""messageStatus":"COMPLETED","resultCode":"1000"}]}"#
                    : #""messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC01"}]}"#)
        case .solapi:
            #"{"nextKey":null,"messageList":{"M4V1":{"messageId":"M4V1","statusCode":"\#(delivered ? "4000" : "3104")"}}}"#
        default:
            #"{"messages":[{"messageId":"S-1","messageStatusName":"\#(delivered ? "success" : "fail")","#
                + #""messageStatusCode":"\#(delivered ? "0000" : "3020")"}]}"#
        }
    }

    private func waits(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<1_500 {
            if try condition() { return true }
            usleep(20_000)
        }
        return false
    }

    private func row(_ world: World) throws -> [String?] {
        try world.sql.query("select status, delivery, delivery_code, (delivery_at > created_at)::text from alimtalks")[
            0]
    }

    private func counted(_ server: TestServer, _ kit: AlimtalkKit, _ result: String) throws -> String? {
        let name = #"lux_alimtalk_deliveries_total{provider="\#(kit.rawValue)",result="\#(result)"} "#
        let text = try server.call("GET", "/metrics").text
        return text.split(separator: "\n").first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
    }

    @Test(arguments: [AlimtalkKit.nhn, .solapi, .sens])
    func `a message that was accepted and not delivered shows in its row, its metric and the log`(
        _ kit: AlimtalkKit
    ) async throws {
        try await onThread {
            let provider = try FakeProvider()
            let result = Flag()
            provider.reset(responding: { request in
                guard request.method == "GET" else { return kit.accepted.reply }
                return result.isSet ? .reply(200, Self.result(kit, delivered: false)) : .reply(503, "")
            })
            let world = try World.own(
                environment: kit.environment(provider.baseURL, ["LUX_ALIMTALK_DELIVERY_INTERVAL": "1"]))
            let user = try world.user(phone: "+821093847561")
            expect(try world.call("POST", "alimtalk", as: user), json: "null")
            #expect(try counted(world.server, kit, "undelivered") == "0")
            // An error of the provider is not a result.
            #expect(waits { provider.requests.contains { $0.method == "GET" } })
            #expect(try row(world) == ["sent", nil, nil, nil])
            result.set()
            let code = kit == .nhn ? "3019" : kit == .solapi ? "3104" : "3020"
            let expected: [String?] = ["sent", "undelivered", code, "true"]
            #expect(try waits { try row(world) == expected })
            #expect(try waits { try counted(world.server, kit, "undelivered") == "1" })
            #expect(world.server.logLines { $0["message"]?.string == "alimtalk undelivered" }.count == 1)
            for request in provider.requests { try kit.expectSignature(of: request) }
            // Without open messages there are no requests.
            let count = provider.requests.count
            Thread.sleep(forTimeInterval: 2.5)
            #expect(provider.requests.count == count)
            world.server.stop()
        }
    }

    @Test func `aligo: polls messages one by one, and not again one whose result is not documented`()
        async throws
    {
        try await onThread {
            let kit = AlimtalkKit.aligo
            let provider = try FakeProvider()
            provider.reset(responding: { request in
                let result = AlimtalkKit.form(request)["mid"] == "2" ? "U" : "S"
                let row = #"{"msgid":"1","phone":"\#(AlimtalkKit.number)","status":"3","rslt":"\#(result)","smid":"0"}"#
                return .reply(200, #"{"code":0,"list":[\#(row)]}"#)
            })
            let world = try World.own(
                environment: kit.environment(provider.baseURL, ["LUX_ALIMTALK_DELIVERY_INTERVAL": "1"]))
            let user = try world.user(phone: "+821093847561")
            try world.sql.query(
                """
                insert into alimtalks (user_id, provider, status, message_id, created_at)
                select $1, 'aligo', 'sent', n, now() - interval '25 hours' from generate_series(1, 3) n
                """, [String(user)])
            let stored = "select delivery, delivery_code, (delivery_at is not null)::text from alimtalks order by id"
            let expected: [[String?]] = [[nil, "S", "true"], ["undelivered", "U", "true"], [nil, "S", "true"]]
            #expect(try waits { try world.sql.query(stored) == expected })
            #expect(provider.requests.map(\.target) == Array(repeating: "/akv10/history/detail/", count: 3))
            #expect(try waits { try counted(world.server, kit, "undelivered") == "1" })
            #expect(try counted(world.server, kit, "delivered") == "0")
            // Of a message of today an undocumented value may still change.
            try world.sql.query(
                """
                insert into alimtalks (user_id, provider, status, message_id, created_at)
                values ($1, 'aligo', 'sent', '4', now() - interval '1 hour')
                """, [String(user)])
            #expect(waits { provider.requests.count >= 5 })
            #expect(try world.sql.query(stored).last == [nil, nil, "false"])
            for request in provider.requests { try kit.expectSignature(of: request) }
            world.server.stop()
        }
    }

    @Test func `of two servers one polls at a time, and each result is counted once`() async throws {
        try await onThread {
            let kit = AlimtalkKit.nhn
            let (provider, started, ended, overlap) = (try FakeProvider(), Counter(), Counter(), Flag())
            provider.reset(responding: { request in
                guard request.method == "GET" else { return kit.accepted.reply }
                started.increment()
                if started.value - ended.value > 1 { overlap.set() }
                // Longer than the interval of the polls.
                Thread.sleep(forTimeInterval: 2)
                ended.increment()
                let none = #"{"header":{"isSuccessful":true},"messages":[]}"#
                return .reply(200, ended.value < 3 ? none : Self.result(kit, delivered: true))
            })
            let database = try TestDatabase.make()
            let environment = kit.environment(provider.baseURL, ["LUX_ALIMTALK_DELIVERY_INTERVAL": "1"])
            let servers = try (0..<2).map { _ in try TestServer(database, environment: environment) }
            let world = try World(database, servers[0])
            expect(try world.call("POST", "alimtalk", as: try world.user(phone: "+821093847561")), json: "null")
            #expect(try waits { try row(world)[1] == "delivered" })
            #expect(!overlap.isSet && started.value >= 3)
            let isCountedOnce = try waits {
                let counts = try servers.map { try counted($0, kit, "delivered") }.compactMap { $0.flatMap { Int($0) } }
                return counts.reduce(0, +) == 1
            }
            #expect(isCountedOnce)
            for server in servers { server.stop() }
        }
    }

    @Test func `a web hook causes a poll, and its body is not used`() async throws {
        try await onThread {
            let kit = AlimtalkKit.solapi
            let provider = try FakeProvider()
            provider.reset(responding: { request in
                request.method == "GET" ? .reply(200, Self.result(kit, delivered: false)) : kit.accepted.reply
            })
            let environment = kit.environment(
                provider.baseURL,
                ["LUX_ALIMTALK_DELIVERY_INTERVAL": "3600", "LUX_ALIMTALK_CALLBACK_SECRET": Self.secret])
            let world = try World.own(environment: environment)
            let server = world.server
            expect(try world.call("POST", "alimtalk", as: try world.user(phone: "+821093847561")), json: "null")
            let body = #"[{"messageId":"M4V1","statusCode":"4000"}]"#
            for path in [
                "nhn/\(Self.secret)", "solapi/\(Self.secret)x", "solapi/\(Self.secret.dropLast())", "solapi/", "solapi",
                "",
                "solapi/HOOK-secret_0123456789",
            ] {
                #expect(try server.call("POST", "/callbacks/alimtalk/" + path, body: body).status == 404, "\(path)")
            }
            #expect(try server.call("GET", "/callbacks/alimtalk/solapi/\(Self.secret)").status == 405)
            let before = try row(world)
            #expect(provider.requests.count == 1 && before == ["sent", nil, nil, nil])
            let hook = try server.call("POST", "/callbacks/alimtalk/solapi/\(Self.secret)", body: body)
            #expect(hook.status == 200)
            #expect(try waits { try row(world) == ["sent", "undelivered", "3104", "true"] })
            #expect(provider.requests.count == 2)
            server.stop()
            #expect(!server.process.outputLines.contains { $0.contains("hook-secret") })
        }
    }

    @Test func `a web hook does not shorten the pause that the provider requires`() async throws {
        try await onThread {
            let provider = try FakeProvider()
            provider.reset(responding: { request in
                request.method == "GET"
                    ? .reply(429, "", headers: ["Retry-After: 3600"]) : AlimtalkKit.solapi.accepted.reply
            })
            let environment = AlimtalkKit.solapi.environment(
                provider.baseURL,
                ["LUX_ALIMTALK_DELIVERY_INTERVAL": "3600", "LUX_ALIMTALK_CALLBACK_SECRET": Self.secret])
            let world = try World.own(environment: environment)
            expect(try world.call("POST", "alimtalk", as: try world.user(phone: "+821093847561")), json: "null")
            let hook = "/callbacks/alimtalk/solapi/\(Self.secret)"
            #expect(try world.server.call("POST", hook).status == 200)
            #expect(waits { provider.requests.count == 2 })
            // Longer than hints are apart.
            try world.sql.script("update alimtalk_polls set polled_at = polled_at - interval '10 seconds'")
            #expect(try world.server.call("POST", hook).status == 200)
            Thread.sleep(forTimeInterval: 2.5)
            #expect(provider.requests.count == 2)
            world.server.stop()
        }
    }

    @Test func `more old results than one poll reads do not hide new ones`() async throws {
        try await onThread {
            let kit = AlimtalkKit.solapi
            let provider = try FakeProvider()
            let yesterday = String(Date(timeIntervalSinceNow: -86_400).ISO8601Format().prefix(10))
            provider.reset(responding: { request in
                guard request.method == "GET" else { return kit.accepted.reply }
                guard let start = request.target.firstMatch(of: #/startDate=([0-9-]{10})/#)?.output.1,
                    start < yesterday
                else { return .reply(200, Self.result(kit, delivered: true)) }
                return .reply(200, #"{"nextKey":"K\#(Unique.number())","messageList":{}}"#)
            })
            let world = try World.own(
                environment: kit.environment(provider.baseURL, ["LUX_ALIMTALK_DELIVERY_INTERVAL": "1"]))
            let user = try world.user(phone: "+821093847561")
            try world.sql.query(
                """
                insert into alimtalks (user_id, provider, status, message_id, created_at)
                values ($1, 'solapi', 'sent', 'M4V0', now() - interval '60 hours')
                """, [String(user)])
            expect(try world.call("POST", "alimtalk", as: user), json: "null")
            let isDelivered = try waits {
                try world.sql.query("select delivery from alimtalks where message_id = 'M4V1'") == [["delivered"]]
            }
            #expect(isDelivered)
            #expect(
                world.server.logLines { $0["cause"]?.string == "solapi: more results than one poll reads" }.count == 1)
            world.server.stop()
        }
    }

    @Test func `results are polled after an outage of the provider, although no message is sent`() async throws {
        try await onThread {
            let kit = AlimtalkKit.sens
            let provider = try FakeProvider()
            let (isBroken, isComplete) = (Flag(), Flag())
            provider.reset(responding: { request in
                guard request.method == "GET" else { return isBroken.isSet ? .reply(503, "") : kit.accepted.reply }
                return .reply(200, isComplete.isSet ? Self.result(kit, delivered: true) : #"{"messages":[]}"#)
            })
            let world = try World.own(
                environment: kit.environment(provider.baseURL, ["LUX_ALIMTALK_DELIVERY_INTERVAL": "1"]))
            let user = try world.user(phone: "+821093847561")
            expect(try world.call("POST", "alimtalk", as: user), json: "null")
            isBroken.set()
            for _ in 0..<5 { #expect(try world.call("POST", "alimtalk", as: user).status == 409) }
            isComplete.set()
            let isDelivered = try waits {
                try world.sql.query("select delivery from alimtalks where status = 'sent'") == [["delivered"]]
            }
            #expect(isDelivered)
            world.server.stop()
        }
    }

    @Test func `without a secret there is no web hook`() async throws {
        try await onThread {
            let provider = try FakeProvider()
            let world = try World.own(environment: AlimtalkKit.solapi.environment(provider.baseURL))
            #expect(try world.server.call("POST", "/callbacks/alimtalk/solapi/", body: "{}").status == 404)
            #expect(try world.server.call("POST", "/callbacks/alimtalk/solapi/\(Self.secret)").status == 404)
            world.server.stop()
        }
    }
}
