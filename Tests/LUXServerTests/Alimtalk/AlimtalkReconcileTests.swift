import Foundation
import Glibc
import LUXTestSupport
import Testing

/// lux-server alimtalk reconcile beside, and after, a server that sends.
@Suite struct AlimtalkReconcileTests {
    /// What a look-up gives for a reference, or for none.
    private static func found(_ kit: AlimtalkKit, _ reference: String?, _ more: String = "") -> FakeProvider.Behaviour {
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

    private static func reference(_ kit: AlimtalkKit, _ request: FakeProvider.Request) -> String? {
        kit == .nhn
            ? request.json?["recipientList"]?[0]?["recipientGroupingKey"]?.string
            : request.json?["messages"]?[0]?["customFields"]?["reference"]?.string
    }

    private func waits(_ holds: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<3_000 {
            if try holds() { return true }
            usleep(20_000)
        }
        return false
    }

    private func reconcile(
        _ kit: AlimtalkKit, _ provider: FakeProvider, _ database: TestDatabase, _ more: [String: String] = [:],
        _ arguments: [String] = []
    ) throws -> LUXCommand {
        try LUXCommand.run(
            ["alimtalk", "reconcile"] + arguments,
            environment: kit.environment(
                provider.baseURL, ["DATABASE_URL": database.connectionString].merging(more) { $1 }))
    }

    private func rows(_ world: World) throws -> [[String?]] {
        try world.sql.query("select status, message_id from alimtalks order by id")
    }

    private func row(_ world: World, _ kit: AlimtalkKit, _ status: String, age: String, user: Int64) throws -> String {
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

            // As long as it might still be under way it is left alone, whatever is asked for.
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

    @Test func `what the provider tells the server itself stands, whatever a look-up said meanwhile`() async throws {
        try await onThread {
            for (kit, answer, meanwhile, row) in [
                (AlimtalkKit.nhn, AlimtalkKit.nhn.accepted.reply, "failed", ["sent", "20261125-A/1"]),
                (.solapi, .reply(200, "garbage"), "sent", ["sent", "looked-up"]),
            ] {
                let (provider, isSettled) = (try FakeProvider(), Flag())
                provider.reset(answering: { _ in
                    while !isSettled.isSet { usleep(10_000) }
                    return answer
                })
                let world = try World.own(environment: kit.environment(provider.baseURL))
                let token = Token.access(user: try world.user(phone: "+821093847561"))
                let (server, answers) = (world.server, Counter())
                Thread.detachNewThread {
                    _ = try? server.call("POST", World.api + "alimtalk", token: token)
                    answers.increment()
                }
                #expect(waits { provider.requests.count == 1 })
                try world.sql.query("update alimtalks set status = $1, message_id = 'looked-up'", [meanwhile])
                isSettled.set()
                #expect(waits { answers.value == 1 })
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
            provider.reset(answering: { request in
                Self.found(kit, request.target.components(separatedBy: "recipientGroupingKey=").last)
            })
            let runs = try simultaneously(2) { _ in try reconcile(kit, provider, database) }
            for run in runs { #expect(run.ending == .exit(0), "\(run.everything)") }
            let told = runs.map(\.output).joined().split(separator: "\n").filter { $0.hasSuffix(" sent") }
            #expect(told.count == 10 && Set(told).count == 10, "\(told)")
            #expect(try rows(world) == Array(repeating: ["sent", "20261125-A/1"], count: 10))
        }
    }

    struct Case: Sendable {
        var kit: AlimtalkKit
        var reply: FakeProvider.Behaviour
        var says: String
        /// `nil` where the row stays as it is.
        var status: String?
        var age = "5 minutes"
        var phone: String? = "+821093847561"
        var calls = 1
        var exit: Int32 = 1
    }

    /// A list of Solapi's with messages of others in it.
    private static func others(_ fields: String...) -> FakeProvider.Behaviour {
        let messages = fields.enumerated().map { index, fields in
            #""M\#(index)":{"messageId":"M\#(index)","statusCode":"4000"\#(fields)}"#
        }
        return .reply(200, #"{"limit":500,"nextKey":null,"messageList":{\#(messages.joined(separator: ","))}}"#)
    }

    private static let another = #","customFields":{"reference":"lux-1-1"}"#

    @Test(arguments: [
        Case(kit: .sens, reply: .hang, says: "left open: sens finds no message", calls: 0),
        Case(kit: .nhn, reply: .reply(401, ""), says: "left open: nhn: HTTP 401"),
        Case(kit: .solapi, reply: .resetAfter, says: "left open: solapi: "),
        Case(kit: .nhn, reply: .hang, says: "left open: nhn: no answer in time"),
        Case(kit: .solapi, reply: found(.solapi, nil, #","nextKey":"M4V8""#), says: "left open: solapi: HTTP 200"),
        Case(
            kit: .solapi, reply: found(.solapi, nil, #","nextKey":null"#), says: "failed: solapi: not found",
            status: "failed", exit: 0),
        Case(kit: .solapi, reply: others(another), says: "not found", status: "failed", exit: 0),
        Case(kit: .solapi, reply: others(""), says: "left open: solapi: HTTP 200"),
        Case(kit: .solapi, reply: others(another, #","customFields":{}"#), says: "left open: solapi: HTTP 200"),
        Case(kit: .solapi, reply: others(another, #","customFields":null"#), says: "left open: solapi: HTTP 200"),
        Case(
            kit: .solapi, reply: others(another), says: "not found", status: "failed", phone: "+12025550123", exit: 0),
        Case(kit: .nhn, reply: found(.nhn, "lux-1-1"), says: "left open: nhn: HTTP 200"),
        Case(kit: .nhn, reply: .hang, says: "phone number is gone", phone: nil, calls: 0),
        Case(kit: .nhn, reply: .hang, says: "1 older than 30 days are not", age: "31 days", calls: 0, exit: 0),
    ]) func `each row that is not settled says why`(_ test: Case) async throws {
        try await onThread {
            let (database, provider) = (try TestDatabase.make(), try FakeProvider(test.reply))
            let world = try World(database, World.sharedServer)
            _ = try row(world, test.kit, "pending", age: test.age, user: try world.user(phone: test.phone))
            let run = try reconcile(test.kit, provider, database)
            #expect(run.ending == .exit(test.exit) && run.output.contains(test.says), "\(run.everything)")
            #expect(try rows(world)[0][0] == test.status ?? "pending")
            #expect(provider.connections == test.calls)
            #expect(!run.everything.contains("93847561") && !run.everything.contains(AlimtalkKit.secret))
        }
    }

    @Test(arguments: [
        (#","messageStatus":"FAILED","resultCode":"3019""#, "failed"),
        (#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC05""#, "failed"),
        (#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC04""#, "sent"),
        (#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC01""#, "failed"),
        (#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC02""#, "unknown"),
        (#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC03""#, "unknown"),
        (#","messageStatus":"FAILED","resultCode":"3005""#, "sent"),
        (#","messageStatus":"FAILED","resultCode":3005,"resendStatus":"RSC01""#, "sent"),
        (#","messageStatus":"CANCEL""#, "failed"), (#","messageStatus":"COMPLETED","resultCode":"1000""#, "sent"),
        (#","messageStatus":"READY""#, "sent"),
    ]) func `nhn: what was delivered, by whichever way, is sent; what is under way stays open`(
        _ delivery: String, _ status: String
    ) async throws {
        try await onThread {
            let (database, provider) = (try TestDatabase.make(), try FakeProvider())
            let world = try World(database, World.sharedServer)
            let reference = try row(
                world, .nhn, "unknown", age: "5 minutes", user: try world.user(phone: "+821093847561"))
            provider.reset(to: Self.found(.nhn, reference, delivery))
            #expect(try reconcile(.nhn, provider, database).ending == .exit(status == "unknown" ? 1 : 0))
            #expect(try rows(world)[0][0] == status)
        }
    }
}
