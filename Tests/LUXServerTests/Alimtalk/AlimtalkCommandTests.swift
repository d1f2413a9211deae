import Foundation
import Glibc
import LUXTestSupport
import Testing

/// lux-server alimtalk
@Suite struct AlimtalkCommandTests {
    @Test func `a dry run prints the request without its keys and sends nothing`() async throws {
        try await onThread {
            for kit in AlimtalkKit.allCases {
                let provider = try FakeProvider(kit.accepted.reply)
                let run = try LUXCommand.run(
                    ["alimtalk", "test", "--to", "010-9384-7561", "--dry-run"],
                    environment: kit.environment(provider.baseURL))
                #expect(run.ending == .exit(0), "\(run.errors)")
                #expect(provider.connections == 0)
                #expect(run.output.contains("POST \(provider.baseURL)/"), "\(run.output)")
                let number = kit == .aligo ? "&receiver_1=01093847561&" : #""01093847561""#
                #expect(run.output.contains(number), "\(run.output)")
                #expect(run.output.contains("***"))
                for hidden in AlimtalkKit.hidden + ["signature="] {
                    #expect(!run.everything.contains(hidden), "\(run.everything)")
                }

                // It equals the request that is sent, except for what differs each time.
                let sent = try LUXCommand.run(
                    ["alimtalk", "test", "--to", "010-9384-7561"], environment: kit.environment(provider.baseURL))
                #expect(sent.ending == .exit(0), "\(sent.everything)")
                let request = try #require(provider.requests.first)
                #expect(lines(run.output) == lines(masked(request, provider.baseURL)))
            }
        }
    }

    /// The lines of a request, without what differs between two.
    private func lines(_ text: String) -> [String] {
        text.trimmingCharacters(in: .whitespacesAndNewlines)
            .replacing(/lux-0-[0-9]+/, with: "REFERENCE").replacing(
                /\d{4}-\d\d-\d\d( |%20)\d\d(:|%3A)\d\d/, with: "TIME"
            )
            .replacing(/timestamp: [0-9]+/, with: "timestamp: NOW").components(separatedBy: "\n")
    }

    /// A received request with its secrets masked.
    private func masked(_ request: FakeProvider.Request, _ baseURL: String) -> String {
        let client = ["host", "user-agent", "accept", "connection", "content-length"]
        let secret = ["authorization", "x-secret-key", "x-ncp-iam-access-key", "x-ncp-apigw-signature-v2"]
        let fields = request.headers.filter { !client.contains($0.name.lowercased()) }.map {
            "\($0.name): \(secret.contains($0.name.lowercased()) ? "***" : $0.value)"
        }
        let text = ["\(request.method) \(baseURL)\(request.target)"] + fields + ["", request.body]
        return AlimtalkKit.hidden.reduce(text.joined(separator: "\n")) { $0.replacing($1, with: "***") }
    }

    @Test func `a test sends one message and prints its outcome`() async throws {
        try await onThread {
            for kit in AlimtalkKit.allCases {
                let provider = try FakeProvider(kit.accepted.reply)
                func run(_ number: String) throws -> LUXCommand {
                    try LUXCommand.run(
                        ["alimtalk", "test", "--to", number], environment: kit.environment(provider.baseURL))
                }
                let good = try run("01093847561")
                #expect(good.ending == .exit(0) && good.output.contains(kit.accepted.id), "\(good.everything)")
                #expect(provider.requests.count == 1)
                provider.reset(to: kit.rejection("-3003"))
                let rejected = try run("01093847561")
                #expect(rejected.ending == .exit(1) && rejected.errors.contains("-3003"), "\(rejected.everything)")
                provider.reset(to: kit.accepted.reply)
                for number in ["02-123-4567", "none", "+12025550123"] {
                    #expect(try run(number).ending != .exit(0))
                }
                #expect(provider.connections == 0)
            }
        }
    }

    @Test func `reads the variables from a file, and the secret from another`() async throws {
        try await onThread {
            let folder = try makeTemporaryFolder()
            let provider = try FakeProvider(AlimtalkKit.solapi.accepted.reply)
            var variables = AlimtalkKit.solapi.environment(
                provider.baseURL, ["DATABASE_URL": try TestDatabase.make().connectionString])
            variables["LUX_ALIMTALK_SOLAPI_API_SECRET"] = nil
            variables["LUX_ALIMTALK_SOLAPI_API_SECRET_FILE"] = folder + "/secret"
            try AlimtalkKit.secret.write(toFile: folder + "/secret", atomically: true, encoding: .utf8)
            chmod(folder + "/secret", 0o600)
            let lines = variables.map { "\($0.key)='\($0.value)'\n" }.joined()
            try lines.write(toFile: folder + "/lux.env", atomically: true, encoding: .utf8)
            let test = try LUXCommand.run(
                ["alimtalk", "test", "--to", "01093847561", "--config", folder + "/lux.env"])
            #expect(test.ending == .exit(0) && provider.requests.count == 1, "\(test.everything)")
            let reconcile = try LUXCommand.run(["alimtalk", "reconcile", "--config", folder + "/lux.env"])
            #expect(reconcile.ending == .exit(0), "\(reconcile.everything)")
        }
    }

    @Test func `without a provider nothing is sent, and all errors are reported`() async throws {
        try await onThread {
            let log = try LUXCommand.run(["alimtalk", "test", "--to", "01093847561"])
            #expect(log.ending == .exit(0) && log.output.contains("sends nothing"), "\(log.everything)")
            let wrong = try LUXCommand.run(
                ["alimtalk", "test", "--to", "01093847561"], environment: ["LUX_ALIMTALK_PROVIDER": "sens"])
            #expect(wrong.ending == .exit(78), "\(wrong.everything)")
            for name in ["ACCESS_KEY", "SECRET_KEY", "SERVICE_ID", "PLUS_FRIEND_ID", "TEMPLATE_CODE", "TEXT"] {
                #expect(wrong.errors.contains("LUX_ALIMTALK_SENS_\(name): is required"), "\(wrong.errors)")
            }
        }
    }

    /// The reply to a look-up: a list of one message, or of none.
    private func found(_ kit: AlimtalkKit, _ reference: String?, failed: Bool = false) -> FakeProvider.Behaviour {
        switch kit {
        case .nhn:
            let message = reference.map {
                """
                {"requestId":"20261125-A","recipientSeq":1,"recipientNo":"01093847561","messageStatus":\
                "\(failed ? "FAILED" : "COMPLETED")","resultCode":"\(failed ? "3019" : "1000")",\
                "recipientGroupingKey":"\($0)"}
                """
            }
            return .reply(
                200,
                """
                {"header":{"resultCode":0,"resultMessage":"success","isSuccessful":true},"messageSearchResultResponse":\
                {"messages":[\(message ?? "")],"totalCount":1}}
                """)
        default:
            let message = reference.map {
                """
                "M4V9":{"messageId":"M4V9","to":"01093847561","statusCode":"\(failed ? "3104" : "4000")",\
                "customFields":{"reference":"\($0)"}}
                """
            }
            return .reply(200, #"{"startKey":null,"nextKey":null,"limit":500,"messageList":{\#(message ?? "")}}"#)
        }
    }

    @Test func `reconcile settles the messages that the provider lists and leaves the rest`() async throws {
        try await onThread {
            for kit in [AlimtalkKit.nhn, .solapi] {
                let provider = try FakeProvider()
                let database = try TestDatabase.make()
                let world = try World(database, World.sharedServer)
                let user = try world.user(phone: "+821093847561")
                let environment = kit.environment(provider.baseURL, ["DATABASE_URL": database.connectionString])
                func row(_ status: String, age: String, provider: String = kit.rawValue) throws -> (Int64, String) {
                    let id = try world.sql.integer(
                        """
                        insert into alimtalks (user_id, provider, status, created_at)
                        values ($1, $2, $3, now() - $4::interval) returning id
                        """, [String(user), provider, status, age])
                    let created = try world.sql.value(
                        "select (extract(epoch from created_at) * 1000000)::bigint from alimtalks where id = $1",
                        [String(id)])
                    return (id, "lux-\(id)-\(created ?? "")")
                }
                func state(_ id: Int64) throws -> [String?] {
                    try world.sql.query(
                        "select status, message_id, error from alimtalks where id = $1", [String(id)])[0]
                }
                func reconcile() throws -> LUXCommand {
                    try LUXCommand.run(["alimtalk", "reconcile"], environment: environment)
                }
                let id = kit == .nhn ? "20261125-A/1" : "M4V9"

                let sent = try row("pending", age: "5 minutes")
                let fresh = try row("pending", age: "1 second")
                let foreign = try row("pending", age: "5 minutes", provider: "log")
                provider.reset(to: found(kit, sent.1))
                #expect(try reconcile().ending == .exit(0))
                #expect(try state(sent.0) == ["sent", id, nil])
                #expect(try state(fresh.0)[0] == "pending" && state(foreign.0)[0] == "pending")
                #expect(provider.requests.count == 1)
                let request = try #require(provider.requests.first)
                #expect(request.method == "GET" && request.body.isEmpty)
                switch kit {
                case .nhn:
                    #expect(
                        request.target.hasPrefix("/alimtalk/v2.3/appkeys/\(AlimtalkKit.key)/messages?startRequestDate=")
                    )
                    #expect(request.target.hasSuffix("&recipientGroupingKey=\(sent.1)"))
                default:
                    #expect(request.target.hasPrefix("/messages/v4/list?dateType=CREATED&limit=50&"))
                    #expect(request.target.hasSuffix("&to=01093847561"))
                    let dates = try ["startDate", "endDate"].map { (name: String) -> Date in
                        let values = request.target.components(separatedBy: "&").filter { $0.hasPrefix(name + "=") }
                        let text = String(try #require(values.first).dropFirst(name.count + 1))
                        return try AlimtalkKit.date(text.replacing("%3A", with: ":"))
                    }
                    let created = Date(timeIntervalSinceNow: -300)
                    // The clocks may be as far apart as signatures allow, 15 minutes.
                    #expect((900...1_800).contains(created.timeIntervalSince(dates[0])), "\(dates)")
                    #expect((1_200...3_600).contains(dates[1].timeIntervalSince(created)), "\(dates)")
                }
                try kit.expectSignature(of: request)

                let lost = try row("unknown", age: "5 minutes")
                provider.reset(to: found(kit, nil))
                #expect(try reconcile().ending == .exit(0))
                #expect(try state(lost.0)[0] == "failed" && state(lost.0)[2]?.contains("not found") == true)

                let undelivered = try row("unknown", age: "5 minutes")
                provider.reset(to: found(kit, undelivered.1, failed: true))
                #expect(try reconcile().ending == .exit(0))
                #expect(try state(undelivered.0)[0] == "failed")

                let open = try row("unknown", age: "5 minutes")
                for behaviour: FakeProvider.Behaviour in [.reply(500, ""), .reply(200, "garbage"), .resetAfter] {
                    provider.reset(to: behaviour)
                    let run = try reconcile()
                    #expect(run.ending == .exit(1) && run.output.contains("1 left open"), "\(run.everything)")
                    #expect(try state(open.0)[0] == "unknown")
                    #expect(!run.everything.contains("93847561"))
                }
            }
        }
    }
}
