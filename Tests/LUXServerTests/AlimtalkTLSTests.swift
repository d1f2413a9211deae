import LUXTestSupport
import Testing

/// HTTPS to a provider: the system's roots decide, and there is no way around them.
@Suite(.enabled(if: TestCA.canReplaceSystemRoots, "needs mount namespaces")) struct AlimtalkTLSTests {
    private func world(_ kit: AlimtalkKit, _ provider: FakeProvider, trusting authority: TestCA) throws -> World {
        let database = try TestDatabase.make()
        return try World(
            database,
            try TestServer(
                database, environment: kit.environment(provider.baseURL), wrapper: authority.asSystemRoot))
    }

    @Test func `a message goes through TLS to a provider whose certificate is good`() async throws {
        try await onThread {
            let authority = try TestCA()
            for kit in AlimtalkKit.allCases {
                let provider = try FakeProvider(kit.accepted.reply, certificate: try authority.issue("good"))
                let world = try world(kit, provider, trusting: authority)
                let user = try world.user(phone: "+821093847561")
                for _ in 0..<2 { expect(try world.call("POST", "alimtalk", as: user), answers: "null") }
                #expect(provider.requests.count == 2)
                #expect(try world.sql.value("select message_id from alimtalks") == kit.accepted.id)
                world.server.stop()
            }
        }
    }

    @Test func `a wrong or expired certificate is sent nothing`() async throws {
        try await onThread {
            let (authority, other) = (try TestCA(), try TestCA())
            let cases: [(name: String, leaf: TestCA.Leaf, error: String)] = [
                ("of another authority", try other.issue("other"), "certificate"),
                ("of another host", try authority.issue("host", for: "DNS:other.test"), "subject name"),
                ("expired", try authority.issue("expired", days: -1), "expired"),
            ]
            for kit in AlimtalkKit.allCases {
                for (name, leaf, error) in cases {
                    let provider = try FakeProvider(kit.accepted.reply, certificate: leaf)
                    let world = try world(kit, provider, trusting: authority)
                    let user = try world.user(phone: "+821093847561")
                    expect(try world.call("POST", "alimtalk", as: user), 409, "Alimtalk send failed", name)
                    #expect(provider.requests.isEmpty, "\(name)")
                    let row = try world.sql.query("select status, error from alimtalks")
                    #expect(row.count == 1 && row[0][0] == "failed", "\(row)")
                    #expect(row.first?[1]?.contains(error) == true, "\(row)")
                    world.server.stop()
                }
            }
        }
    }
}
