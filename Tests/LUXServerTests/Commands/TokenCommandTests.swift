import Foundation
import LUXTestSupport
import Testing

/// lux-server token
@Suite struct TokenCommandTests {
    @Test func `prints a token with the requested claims that the server accepts`() async throws {
        try await onThread {
            let world = try World()
            let user = try world.user()
            for ttl in [nil, 60] {
                let arguments = ["token", "--user", String(user)] + (ttl.map { ["--ttl", String($0)] } ?? [])
                let run = try LUXCommand.run(arguments, environment: ["LUX_JWT_SECRET": Token.secret])
                #expect(run.ending == .exit(0), "\(run.errors)")
                let token = run.output.trimmingCharacters(in: .whitespacesAndNewlines)
                let parts = token.split(separator: ".", omittingEmptySubsequences: false)
                try #require(parts.count == 3, "\(run.output)")
                #expect(Token.signature(parts[0] + "." + parts[1]) == parts[2])
                #expect(JSONValue(Token.decode(parts[0]) ?? "")?["alg"] == .string("HS256"))
                let claims = JSONValue(Token.decode(parts[1]) ?? "")
                #expect(claims?["sub"]?.leavesText == String(user), "\(claims as JSONValue?)")
                let left = (claims?["exp"]?.integer ?? 0) - Int64(Token.now)
                #expect(abs(left - Int64(ttl ?? 3600)) <= 5)
                expect(try world.server.call("GET", World.api + "get-all-device", token: token), json: "[]")
            }
        }
    }

    @Test func `contains the issuer, audience and user claim that the server requires`() async throws {
        try await onThread {
            let settings = ["LUX_JWT_ISSUER": "i", "LUX_JWT_AUDIENCE": "a", "LUX_JWT_USER_CLAIM": "uid"]
            let world = try World.own(environment: settings)
            let user = try world.user()
            let run = try LUXCommand.run(
                ["token", "--user", String(user)],
                environment: settings.merging(["LUX_JWT_SECRET": Token.secret]) { $1 })
            let token = run.output.trimmingCharacters(in: .whitespacesAndNewlines)
            expect(try world.server.call("GET", World.api + "get-all-device", token: token), json: "[]")
            world.server.stop()
        }
    }

    @Test func `with a database it needs --yes and leaves an access record`() throws {
        let database = try TestDatabase.make()
        let environment = [
            "LUX_JWT_SECRET": Token.secret, "DATABASE_URL": database.connectionString, "USER": "root",
            "SUDO_USER": "kim",
        ]
        let rejected = try LUXCommand.run(["token", "--user", "7"], environment: environment)
        #expect(rejected.ending == .exit(1) && rejected.output.isEmpty && rejected.errors.contains("add --yes"))
        let records = "select action, operator, subject, user_id, count, host <> '' from access_records"
        #expect(try database.session().query(records).isEmpty)
        let run = try LUXCommand.run(["token", "--user", "7", "--yes"], environment: environment)
        #expect(run.ending == .exit(0) && run.output.contains("."), "\(run.errors)")
        #expect(try database.session().query(records) == [["token", "kim", "user 7", "7", "1", "t"]])
        let unreachable = try LUXCommand.run(
            ["token", "--user", "7", "--yes"],
            environment: environment.merging(["DATABASE_URL": "host=127.0.0.1 port=1 user=x"]) { $1 })
        #expect(unreachable.ending == .exit(1) && unreachable.output.isEmpty)
    }

    @Test func `rejects a missing secret and a user that is not a number`() async throws {
        try await onThread {
            let none = try LUXCommand.run(["token", "--user", "1"])
            #expect(none.ending != .exit(0) && none.errors.contains("LUX_JWT_SECRET"), "\(none.everything)")
            let word = try LUXCommand.run(["token", "--user", "x"], environment: ["LUX_JWT_SECRET": Token.secret])
            #expect(word.ending != .exit(0) && word.output.isEmpty)
        }
    }
}

extension JSONValue {
    /// The text of a single string or number.
    var leavesText: String? { leaves.count == 1 ? leaves.first : nil }
}
