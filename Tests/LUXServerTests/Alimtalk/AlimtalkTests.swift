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
            expect(reply, answers: "null", number)
            #expect(reply.text == "null")
            #expect(try rows(of: user) == [["log", "sent", nil, "t"]], "\(number)")
            let whole = try world.sql.value("select a::text from alimtalks a where user_id = $1", [String(user)]) ?? ""
            let digits = number.filter(\.isNumber)
            #expect(!whole.filter(\.isNumber).contains(digits.suffix(8)), "\(whole)")
        }
    }

    @Test func `a message that was sent is answered so, though its row cannot be settled`() throws {
        let world = try World.own()
        let user = try world.user(phone: "+821093847561")
        try world.sql.script(
            """
            create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not today'; end $$;
            create trigger refusing before update on alimtalks for each row execute function refuse()
            """)
        expect(try world.call("POST", "alimtalk", as: user), answers: "null")
        let row = try world.sql.query("select status, id from alimtalks").first ?? []
        #expect(row.first == "pending")
        let told = world.server.logLines { $0["message"]?.string == "alimtalk row not settled" }
        #expect(told.count == 1 && told[0]["level"]?.string == "error", "\(told)")
        let cause = told.first?["cause"]?.string ?? ""
        #expect(cause.hasPrefix("row \(row.last.flatMap { $0 } ?? ""): ") && cause.contains("P0001"), "\(cause)")
        #expect(!world.server.process.output.contains("93847561"))
        world.server.stop()
    }

    @Test func `makes one row for each message asked for`() throws {
        let user = try world.user(phone: "+821093847561")
        for _ in 0..<3 { #expect(try world.call("POST", "alimtalk", as: user).status == 200) }
        #expect(try rows(of: user).count == 3)
    }

    @Test func `refuses a user without a usable phone number`() throws {
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
