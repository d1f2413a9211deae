import Foundation
import LUXTestSupport
import Testing

/// lux-server token
@Suite struct TokenCommandTests {
    @Test func `prints a token that says what was asked and that the server takes`() async throws {
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
                expect(try world.server.call("GET", World.api + "get-all-device", token: token), answers: "[]")
            }
        }
    }

    @Test func `carries the issuer, audience and user claim that the server wants`() async throws {
        try await onThread {
            let settings = ["LUX_JWT_ISSUER": "i", "LUX_JWT_AUDIENCE": "a", "LUX_JWT_USER_CLAIM": "uid"]
            let world = try World.own(environment: settings)
            let user = try world.user()
            let run = try LUXCommand.run(
                ["token", "--user", String(user)],
                environment: settings.merging(["LUX_JWT_SECRET": Token.secret]) { $1 })
            let token = run.output.trimmingCharacters(in: .whitespacesAndNewlines)
            expect(try world.server.call("GET", World.api + "get-all-device", token: token), answers: "[]")
            world.server.stop()
        }
    }

    @Test func `refuses without a secret and for no user`() async throws {
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
