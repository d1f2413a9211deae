import Foundation
import LUXTestSupport
import Testing

/// POST alimtalk, with the provider that only writes a log line.
@Suite struct AlimtalkTests {
    let world: World

    init() throws { world = try World() }

    private func rows(of user: Int64) throws -> [[String?]] {
        try world.sql.query(
            """
            select provider, status, error, created_at > now() - interval '1 minute' from alimtalks
            where user_id = $1 order by id
            """, [String(user)])
    }

    @Test func `sends to a Korean mobile number and leaves one row that hides it`() throws {
        let numbers = ["+821093847561", "010-9384-7562", "01093847563", "+821193847564", "01693847565", "019-938-4756"]
        for number in numbers {
            let user = try world.user(phone: number)
            let reply = try world.call("POST", "alimtalk", as: user)
            expect(reply, json: "null", number)
            #expect(reply.text == "null")
            #expect(try rows(of: user) == [["log", "sent", nil, "t"]], "\(number)")
            let whole = try world.sql.value("select a::text from alimtalks a where user_id = $1", [String(user)]) ?? ""
            let digits = number.filter(\.isNumber)
            #expect(!whole.filter(\.isNumber).contains(digits.suffix(8)), "\(whole)")
        }
    }

    @Test func `a message that was sent gets 200 although its row cannot be settled`() throws {
        let world = try World.own()
        let user = try world.user(phone: "+821093847561")
        try world.sql.script(
            """
            create function reject() returns trigger language plpgsql as $$ begin raise exception 'not today'; end $$;
            create trigger rejecting before update on alimtalks for each row execute function reject()
            """)
        expect(try world.call("POST", "alimtalk", as: user), json: "null")
        let row = try world.sql.query("select status, id from alimtalks").first ?? []
        #expect(row.first == "pending")
        let lines = world.server.logLines { $0["message"]?.string == "alimtalk row not settled" }
        #expect(lines.count == 1 && lines[0]["level"]?.string == "error", "\(lines)")
        let cause = lines.first?["cause"]?.string ?? ""
        #expect(cause.hasPrefix("row \(row.last.flatMap { $0 } ?? ""): ") && cause.contains("P0001"), "\(cause)")
        #expect(!world.server.process.output.contains("93847561"))
        world.server.stop()
    }

    @Test func `creates one row for each message that is requested`() throws {
        let user = try world.user(phone: "+821093847561")
        for _ in 0..<3 { #expect(try world.call("POST", "alimtalk", as: user).status == 200) }
        #expect(try rows(of: user).count == 3)
    }

    @Test func `the 21st message of an account within an hour is rejected, on every server`() throws {
        let user = try world.user(phone: "+821093847561")
        for _ in 0..<20 { expect(try world.call("POST", "alimtalk", as: user), json: "null") }
        for server in [world.server, try TestServer(World.sharedDatabase)] {
            let reply = try World(World.sharedDatabase, server).call("POST", "alimtalk", as: user)
            expect(reply, 429, "Too many requests")
            let wait = reply.header("Retry-After").flatMap { Int($0) } ?? 0
            #expect((3_500...3_600).contains(wait), "\(wait)")
        }
        #expect(try rows(of: user).count == 20)
        let other = try world.user(phone: "+821093847562")
        expect(try world.call("POST", "alimtalk", as: other), json: "null")
        try world.sql.query("update alimtalks set status = 'failed' where user_id = $1", [String(user)])
        expect(try world.call("POST", "alimtalk", as: user), 429, "Too many requests", "whatever became of them")
        try world.sql.query(
            """
            update alimtalks set created_at = now() - interval '61 minutes'
            where id = (select min(id) from alimtalks where user_id = $1)
            """, [String(user)])
        expect(try world.call("POST", "alimtalk", as: user), json: "null")
        expect(try world.call("POST", "alimtalk", as: user), 429, "Too many requests")
    }

    private func call(_ user: Int64, key: String...) throws -> HTTPReply {
        let client = try world.server.connect()
        try client.send(
            TestServer.request(
                "POST", World.api + "alimtalk", token: Token.access(user: user),
                headers: key.map { ("Idempotency-Key", $0) }))
        return try client.receive()
    }

    @Test func `a repeated Idempotency-Key of the same account sends nothing and gets the first outcome`() throws {
        let (user, other) = (try world.user(phone: "+821093847561"), try world.user(phone: "+821093847562"))
        for _ in 0..<25 { expect(try call(user, key: "k-1"), json: "null") }
        #expect(try rows(of: user).count == 1, "the key comes before the limit")
        expect(try call(other, key: "k-1"), json: "null")
        #expect(try rows(of: other).count == 1, "keys of accounts are apart")
        for status in ["failed", "unknown"] {
            try world.sql.query("update alimtalks set status = $2 where user_id = $1", [String(user), status])
            expect(try call(user, key: "k-1"), 409, "Alimtalk send failed")
        }
        try world.sql.query(
            "update alimtalks set created_at = now() - interval '25 hours' where user_id = $1", [String(user)])
        expect(try call(user, key: "k-1"), json: "null")
        #expect(try rows(of: user).count == 2, "after 24 hours it is another message")
        for key in ["a b", String(repeating: "x", count: 8_000), "é"] {
            let before = try rows(of: user).count
            for _ in 0..<2 { #expect(try call(user, key: key).status == 200) }
            #expect(try rows(of: user).count == before + 1, "\(key.prefix(10))")
        }
        let before = try rows(of: user).count
        for _ in 0..<2 { #expect(try call(user, key: "").status == 200) }
        #expect(try rows(of: user).count == before + 2, "an empty key is none")
    }

    @Test func `a 429 settles nothing for its key`() throws {
        let user = try world.user(phone: "+821093847561")
        for _ in 0..<20 { #expect(try call(user, key: UUID().uuidString).status == 200) }
        #expect(try call(user, key: "late").status == 429)
        try world.sql.query("delete from alimtalks where user_id = $1", [String(user)])
        expect(try call(user, key: "late"), json: "null")
        #expect(try rows(of: user).count == 1)
    }

    @Test func `a repeated key waits for the message in flight`() async throws {
        try await onThread {
            let world = try World()
            let user = try world.user(phone: "+821093847561")
            // Another server's message: in flight until its row is settled.
            let id = try world.sql.integer(
                """
                insert into alimtalks (user_id, provider, status, idempotency_key)
                values (\(user), 'log', 'pending', encode(sha256('slow'), 'hex')) returning id
                """)
            let client = try world.server.connect()
            try client.send(
                TestServer.request(
                    "POST", World.api + "alimtalk", token: Token.access(user: user),
                    headers: [("Idempotency-Key", "slow")]))
            usleep(400_000)
            try world.sql.query("update alimtalks set status = 'sent' where id = $1", [String(id)])
            expect(try client.receive(), json: "null")
            #expect(try world.sql.integer("select count(*) from alimtalks where user_id = \(user)") == 1)
        }
    }

    @Test func `rejects a user without a usable phone number`() throws {
        let numbers: [String?] = [
            nil, "", " ", "none", "02-123-4567", "+82212345678", "+12025550123", "0101234567890", "010-1234",
            "+8201012345678x", "013-1234-5678", "070-1234-5678", "+82 ", "010abcd5678",
        ]
        for number in numbers {
            let user = try world.user(phone: number)
            expect(
                try world.call("POST", "alimtalk", as: user), 403, "Phone number is not found", number ?? "null")
            #expect(try rows(of: user).isEmpty)
        }
        expect(try world.call("POST", "alimtalk", as: absentID), 403, "Phone number is not found", "no such user")
    }

    @Test func `writes no phone number into the log`() throws {
        let user = try world.user(phone: "+821083749152")
        let reply = try world.call("POST", "alimtalk", as: user)
        #expect(!world.server.logLines(request: reply.requestID ?? "?").isEmpty)
        let everything = world.server.process.output + world.server.process.errors
        #expect(!everything.contains("83749152") && !everything.contains("8374-9152"))
    }
}
