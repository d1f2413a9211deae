import Foundation
import Glibc
import LUXTestSupport
import Testing

/// lux-server alimtalk reconcile and settle, during and after the work of a server.
@Suite struct AlimtalkReconcileTests {
    /// The reply to a look-up: a list with a message of this reference, or an empty one.
    static func found(_ kit: AlimtalkKit, _ reference: String?, _ more: String = "") -> FakeProvider.Behaviour {
        if kit == .nhn {
            let message = reference.map {
                #"{"requestId":"20261125-A","recipientSeq":1,"recipientGroupingKey":"\#($0)"\#(more)}"#
            }
            return .reply(
                200,
                """
                {"header":{"resultCode":0,"isSuccessful":true},"messageSearchResultResponse":{"messages":\
                [\(message ?? "")]}}
                """)
        }
        let message = reference.map {
            #""M4V9":{"messageId":"M4V9","statusCode":"3000","customFields":{"reference":"\#($0)"}}"#
        }
        return .reply(200, #"{"limit":500\#(more),"messageList":{\#(message ?? "")}}"#)
    }

    static func reference(_ kit: AlimtalkKit, _ request: FakeProvider.Request) -> String? {
        kit == .nhn
            ? request.json?["recipientList"]?[0]?["recipientGroupingKey"]?.string
            : request.json?["messages"]?[0]?["customFields"]?["reference"]?.string
    }

    func waits(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<3_000 {
            if try condition() { return true }
            usleep(20_000)
        }
        return false
    }

    func reconcile(
        _ kit: AlimtalkKit, _ provider: FakeProvider, _ database: TestDatabase, _ more: [String: String] = [:],
        _ arguments: [String] = []
    ) throws -> LUXCommand {
        try LUXCommand.run(
            ["alimtalk", "reconcile"] + arguments,
            environment: kit.environment(
                provider.baseURL, ["DATABASE_URL": database.connectionString].merging(more) { $1 }))
    }

    func rows(_ world: World) throws -> [[String?]] {
        try world.sql.query("select status, message_id from alimtalks order by id")
    }

    func row(_ world: World, _ kit: AlimtalkKit, _ status: String, age: String, user: Int64) throws -> String {
        let id = try world.sql.integer(
            """
            insert into alimtalks (user_id, provider, status, created_at)
            values ($1, $2, $3, now() - $4::interval) returning id
            """, [String(user), kit.rawValue, status, age])
        let created = try world.sql.value(
            "select (extract(epoch from created_at) * 1000000)::bigint from alimtalks where id = $1", [String(id)])
        return "lux-\(id)-\(created ?? "")"
    }

    @Test(arguments: [AlimtalkKit.nhn, .solapi])
    func `what a killed server leaves pending is found by its reference`(_ kit: AlimtalkKit) async throws {
        try await onThread {
            let (database, provider) = (try TestDatabase.make(), try FakeProvider(.hang))
            let short = ["LUX_REQUEST_TIMEOUT": "5", "LUX_ALIMTALK_TIMEOUT": "5"]
            let server = try TestServer(database, environment: kit.environment(provider.baseURL, short))
            let world = try World(database, server)
            let token = Token.access(user: try world.user(phone: "+821093847561"))
            Thread.detachNewThread { _ = try? server.call("POST", World.api + "alimtalk", token: token) }
            #expect(waits { provider.requests.count == 1 })
            server.process.signal(SIGKILL)
            #expect(server.process.wait() == .signal(SIGKILL))
            #expect(try rows(world) == [["pending", nil]])
            let reference = try #require(provider.requests.first.flatMap { Self.reference(kit, $0) })

            // While it may be in flight it is left alone, even with --older-than 0.
            provider.reset(to: Self.found(kit, nil))
            let early = try reconcile(kit, provider, database, ["LUX_REQUEST_TIMEOUT": "600"], ["--older-than", "0"])
            #expect(early.ending == .exit(0) && provider.connections == 0, "\(early.everything)")
            #expect(try rows(world) == [["pending", nil]])

            #expect(
                try waits {
                    try world.sql.value("select created_at < now() - interval '6 seconds' from alimtalks") == "t"
                })
            provider.reset(to: Self.found(kit, reference))
            let run = try reconcile(kit, provider, database, short, ["--older-than", "0"])
            #expect(run.ending == .exit(0) && provider.connections == 1, "\(run.everything)")
            #expect(try rows(world) == [["sent", kit == .nhn ? "20261125-A/1" : "M4V9"]])
        }
    }

    @Test func `the provider's reply to the server prevails over a look-up in the meantime`() async throws {
        try await onThread {
            for (kit, response, meanwhile, row) in [
                (AlimtalkKit.nhn, AlimtalkKit.nhn.accepted.reply, "failed", ["sent", "20261125-A/1"]),
                (.solapi, .reply(200, "garbage"), "sent", ["sent", "looked-up"]),
            ] {
                let (provider, isSettled) = (try FakeProvider(), Flag())
                provider.reset(responding: { _ in
                    while !isSettled.isSet { usleep(10_000) }
                    return response
                })
                let world = try World.own(environment: kit.environment(provider.baseURL))
                let token = Token.access(user: try world.user(phone: "+821093847561"))
                let (server, responses) = (world.server, Counter())
                Thread.detachNewThread {
                    _ = try? server.call("POST", World.api + "alimtalk", token: token)
                    responses.increment()
                }
                #expect(waits { provider.requests.count == 1 })
                try world.sql.query("update alimtalks set status = $1, message_id = 'looked-up'", [meanwhile])
                isSettled.set()
                #expect(waits { responses.value == 1 })
                #expect(try rows(world) == [row])
                server.stop()
            }
        }
    }

    @Test func `two runs at once settle each row once`() async throws {
        try await onThread {
            let kit = AlimtalkKit.nhn
            let (database, provider) = (try TestDatabase.make(), try FakeProvider())
            let world = try World(database, World.sharedServer)
            let user = try world.user(phone: "+821093847561")
            for _ in 0..<10 { _ = try row(world, kit, "pending", age: "5 minutes", user: user) }
            provider.reset(responding: { request in
                Self.found(kit, request.target.components(separatedBy: "recipientGroupingKey=").last)
            })
            let runs = try simultaneously(2) { _ in try reconcile(kit, provider, database) }
            for run in runs { #expect(run.ending == .exit(0), "\(run.everything)") }
            let reported = runs.map(\.output).joined().split(separator: "\n").filter { $0.hasSuffix(" sent") }
            #expect(reported.count == 10 && Set(reported).count == 10, "\(reported)")
            #expect(try rows(world) == Array(repeating: ["sent", "20261125-A/1"], count: 10))
        }
    }

    @Test func `one run at a time looks messages up`() async throws {
        try await onThread {
            let (database, provider) = (try TestDatabase.make(), try FakeProvider(Self.found(.nhn, nil)))
            let world = try World(database, World.sharedServer)
            _ = try row(world, .nhn, "unknown", age: "5 minutes", user: try world.user(phone: "+821093847561"))
            try world.sql.query("select pg_advisory_lock(119251787736419)")
            let second = try reconcile(.nhn, provider, database)
            #expect(second.ending == .exit(0) && second.output.contains("another run"), "\(second.everything)")
            #expect(provider.connections == 0)
            try world.sql.query("select pg_advisory_unlock(119251787736419)")
            #expect(try reconcile(.nhn, provider, database).ending == .exit(0))
            #expect(try rows(world)[0][0] == "failed")
        }
    }

    @Test func `rows are looked up one after the other, and no more once the provider requires a long pause`()
        async throws
    {
        try await onThread {
            let kit = AlimtalkKit.nhn
            let (database, provider) = (try TestDatabase.make(), try FakeProvider(Self.found(kit, nil)))
            let world = try World(database, World.sharedServer)
            let user = try world.user(phone: "+821093847561")
            for _ in 0..<20 { _ = try row(world, kit, "unknown", age: "5 minutes", user: user) }
            provider.reset(to: .reply(429, "", headers: ["Retry-After: 3600"]))
            let busy = try reconcile(kit, provider, database)
            #expect(busy.ending == .exit(1) && busy.output.contains("19 more are not looked up"), "\(busy.everything)")
            #expect(provider.connections == 1)
            provider.reset(to: Self.found(kit, nil))
            let began = Date()
            #expect(try reconcile(kit, provider, database).ending == .exit(0))
            #expect(Date().timeIntervalSince(began) >= 1.9 && provider.connections == 20)
            #expect(try rows(world) == Array(repeating: ["failed", nil], count: 20))
        }
    }

    /// What a provider without references lists of a request that it received.
    static func listed(_ kit: AlimtalkKit, _ sent: FakeProvider.Request, _ request: FakeProvider.Request)
        -> String
    {
        let now = ISO8601DateFormatter.string(
            from: Date(), timeZone: TimeZone(secondsFromGMT: 9 * 3_600) ?? .gmt,
            formatOptions: [.withFullDate, .withTime, .withColonSeparatorInTime, .withSpaceBetweenDateAndTime])
        func quoted(_ text: String?) -> String {
            "\"" + (text ?? "").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
        }
        if kit == .sens {
            let text = quoted(sent.json?["messages"]?[0]?["content"]?.string)
            let message = """
                {"messageId":"S-9","to":"\(AlimtalkKit.number)","templateCode":"contact-lost","requestTime":"\(now)",\
                "requestStatusCode":"A000","messageStatusName":"success","content":\(text)}
                """
            return request.target.hasSuffix("/S-9") ? message : #"{"statusCode":"200","messages":[\#(message)]}"#
        }
        let text = quoted(AlimtalkKit.form(sent)["message_1"])
        return request.target.contains("detail")
            ? #"{"code":0,"list":[{"msgid":"1","phone":"\#(AlimtalkKit.number)","status":"3","smid":"0"}]}"#
            : #"{"code":0,"list":[{"mid":"471","msg_count":"1","mbody":\#(text),"reg_date":"\#(now)"}]}"#
    }

    @Test(arguments: [AlimtalkKit.sens, .aligo])
    func `without a reference a message is found by number and text, even after children were renamed`(
        _ kit: AlimtalkKit
    ) async throws {
        try await onThread {
            let provider = try FakeProvider(.resetAfter)
            let database = try TestDatabase.make()
            let world = try World(
                database, try TestServer(database, environment: kit.environment(provider.baseURL)))
            let user = try world.user(phone: "+821093847561")
            _ = try world.child(of: user, first: "지수")
            expect(try world.call("POST", "alimtalk", as: user), 409, "Alimtalk send failed")
            #expect(try rows(world) == [["unknown", nil]] && provider.requests.count == 1)
            let sent = try #require(provider.requests.first)
            try world.sql.query("update real_users set first_name = 'Minjun' where root_user_id = $1", [String(user)])
            provider.reset(responding: { .reply(200, Self.listed(kit, sent, $0)) })
            let environment = kit.environment(provider.baseURL, ["DATABASE_URL": database.connectionString])
            let wait = try LUXCommand.run(["alimtalk", "reconcile"], environment: environment)
            #expect(wait.ending == .exit(0) && provider.connections == 0, "too young: \(wait.everything)")
            // The time of the row is the time in the text, so it is not changed.
            let short = environment.merging(["LUX_REQUEST_TIMEOUT": "0.5", "LUX_ALIMTALK_TIMEOUT": "0.5"]) { $1 }
            Thread.sleep(forTimeInterval: 1.1)
            let run = try LUXCommand.run(["alimtalk", "reconcile", "--older-than", "0"], environment: short)
            #expect(run.ending == .exit(0), "\(run.everything)")
            #expect(try rows(world) == [["sent", kit == .sens ? "S-9" : "471"]])
            #expect(provider.requests.count == 2 && !provider.requests.contains { $0.target.contains("/send/") })
            for request in provider.requests { try kit.expectSignature(of: request) }
            for hidden in ["93847561"] + AlimtalkKit.hidden { #expect(!run.everything.contains(hidden)) }
            world.server.stop()
        }
    }
}
