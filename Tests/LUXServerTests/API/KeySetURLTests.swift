import Foundation
import Glibc
import LUXTestSupport
import Testing

/// Keys of access tokens from `LUX_JWT_JWKS_URL`.
@Suite struct KeySetURLTests {
    private func server(_ url: String, _ environment: [String: String]) throws -> World {
        let variables = [
            "LUX_JWT_SECRET": "", "LUX_JWT_JWKS_URL": url, "LUX_JWT_AUDIENCE": "",
        ].merging(environment) { $1 }
        return try World(World.sharedDatabase, try TestServer(World.sharedDatabase, environment: variables))
    }

    private func call(_ token: String, _ world: World) throws -> HTTPReply {
        try world.server.call("GET", World.api + "get-all-device", token: token)
    }

    private func waits(_ seconds: Double = 20, until isTrue: () throws -> Bool) rethrows -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            if try isTrue() { return true }
            usleep(50_000)
        }
        return false
    }

    @Test func `fetches the keys over HTTPS, fetches them for an unknown key, and keeps them while that fails`()
        async throws
    {
        try await onThread {
            let authority = try TestCA()
            let provider = try FakeProvider(certificate: authority.issue("jwks"))
            let (old, new) = (try SigningKey(.curve("P-256")), try SigningKey(.rsa(bits: 2_048)))
            provider.reset(to: .reply(200, SigningKey.set(old.jwk("a"))))
            let world = try server(provider.baseURL + "/keys?v=1", try authority.asRoot())
            let user = try world.user()
            let (first, second) = (try old.access(user: user, kid: "a"), try new.access(user: user, kid: "b"))
            #expect(world.server.waits(for: 200, at: "/readyz"))
            #expect(provider.requests.first?.target == "/keys?v=1" && provider.requests.first?.method == "GET")
            #expect(try call(first, world).status == 200)
            #expect(world.server.process.errors.contains("LUX_JWT_AUDIENCE: neither it nor LUX_JWT_ISSUER is set"))

            provider.reset(to: .reply(200, SigningKey.set(old.jwk("a"), new.jwk("b"))))
            expect(try call(second, world), 401, "Could not validate credentials", "not fetched while it waits")
            #expect(try waits { try call(second, world).status == 200 })
            #expect(try call(first, world).status == 200)

            for bad in [
                FakeProvider.Behaviour.reply(500, ""), .reply(200, "{}"),
                .reply(200, SigningKey.set(old.jwk("a", #","d":"A""#))),
                .resetAfter, .reply(302, "", headers: ["Location: \(provider.baseURL)/other"]),
            ] {
                provider.reset(to: bad)
                let kept = "cannot reload token keys; keeping the previous ones"
                let before = world.server.process.outputLines.filter { $0.contains(kept) }.count
                world.server.process.signal(SIGHUP)
                let isReported = world.server.process.waitForOutput(seconds: 15) { lines in
                    lines.filter { $0.contains(kept) }.count > before ? true : nil
                }
                #expect(isReported == true, "\(bad)")
                #expect(try call(first, world).status == 200 && call(second, world).status == 200, "\(bad)")
            }
            world.server.stop()
        }
    }

    @Test func `responds 503 and is not ready until the first keys have come`() async throws {
        try await onThread {
            let provider = try FakeProvider(.reply(503, ""))
            let key = try SigningKey(.curve("P-256"))
            let world = try server(provider.baseURL + "/keys", [:])
            let user = try world.user()
            expect(try call(key.access(user: user, kid: "a"), world), 503, "Service temporarily unavailable")
            #expect(try world.server.call("GET", "/readyz").status == 503)
            #expect(try world.server.call("GET", "/healthz").status == 200)
            provider.reset(to: .reply(200, key.jwk("a")))
            #expect(world.server.waits(for: 200, at: "/readyz"))
            #expect(try call(key.access(user: user, kid: "a"), world).status == 200)
            world.server.stop()
        }
    }

    @Test func `tokens with unknown keys cause few fetches, and no other request waits for one`() async throws {
        try await onThread {
            let key = try SigningKey(.curve("P-256"))
            let provider = try FakeProvider(.reply(200, key.jwk("a")))
            let world = try server(provider.baseURL + "/keys", [:])
            let user = try world.user()
            #expect(world.server.waits(for: 200, at: "/readyz"))
            let good = try key.access(user: user, kid: "a")
            provider.reset(to: .hang)
            let start = Date()
            var slowest = 0.0
            while Date().timeIntervalSince(start) < 4 {
                #expect(try call(key.token("{}", kid: "x\(Unique.number())"), world).status == 401)
                let began = Date()
                #expect(try call(good, world).status == 200)
                slowest = max(slowest, Date().timeIntervalSince(began))
            }
            #expect((1...3).contains(provider.connections), "\(provider.connections) fetches")
            #expect(slowest < 2, "\(slowest) s")
            world.server.stop()
        }
    }

    @Test func `doctor fetches the keys once`() async throws {
        try await onThread {
            let key = try SigningKey(.curve("P-256"))
            let provider = try FakeProvider(.reply(200, key.jwk("a")))
            let url = provider.baseURL + "/keys"
            func doctor() throws -> String {
                try LUXCommand.run(
                    ["doctor"], environment: ["DATABASE_URL": "host=127.0.0.1 port=1", "LUX_JWT_JWKS_URL": url]
                ).output
            }
            let well = try doctor()
            #expect(well.contains("ok     JWKS: \(url): 1 keys"), "\(well)")
            #expect(well.contains("error  access tokens: LUX_JWT_AUDIENCE: neither it nor"), "\(well)")
            #expect(well.contains("LUX_JWT_MAX_LIFETIME, for example 86400, is recommended"), "\(well)")
            provider.reset(to: .reply(404, ""))
            let ill = try doctor()
            #expect(ill.contains("error  JWKS: \(url): the JWKS URL responded with 404"), "\(ill)")
        }
    }
}
