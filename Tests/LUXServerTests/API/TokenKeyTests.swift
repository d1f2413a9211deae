import Foundation
import Glibc
import LUXTestSupport
import Testing

/// Access tokens that public keys and files of secrets verify, and keys that change while the server runs.
@Suite struct TokenKeyTests {
    private static let read = "token keys loaded"
    private static let kept = "cannot reload token keys; keeping the previous ones"

    /// A server with these variables in the place of the usual secret, on the database that tests share.
    private func world(_ environment: [String: String]) throws -> World {
        let variables = ["LUX_JWT_SECRET": ""].merging(environment) { $1 }
        return try World(World.sharedDatabase, try TestServer(World.sharedDatabase, environment: variables))
    }

    private func status(_ token: String, _ world: World) throws -> Int {
        try world.server.call("GET", World.api + "get-all-device", token: token).status
    }

    /// Writes into the file itself, as an editor or a shell does; a new file has another identity.
    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// Sends SIGHUP and waits until one more line has this message.
    private func hangUp(_ world: World, until message: String) {
        let before = count(message, world)
        world.server.process.signal(SIGHUP)
        #expect(waits(for: message, before + 1, world), "\(message)")
    }

    private func count(_ message: String, _ world: World) -> Int {
        world.server.process.outputLines.filter { $0.contains(message) }.count
    }

    private func waits(for message: String, _ count: Int, _ world: World) -> Bool {
        world.server.process.waitForOutput(seconds: 10) { lines in
            lines.filter { $0.contains(message) }.count >= count ? true : nil
        } ?? false
    }

    private func file(_ text: String) throws -> String {
        let path = try makeTemporaryFolder("lux-keys") + "/keys"
        try write(text, path)
        return path
    }

    @Test(arguments: [SigningKey.Kind.rsa(bits: 2_048), .curve("P-256")])
    func `a public key in a PEM file verifies its tokens and nothing else`(_ kind: SigningKey.Kind) async throws {
        try await onThread {
            let (key, stranger) = (try SigningKey(kind), try SigningKey(kind))
            let world = try world(["LUX_JWT_PUBLIC_KEY": key.publicFile])
            let user = try world.user()
            func get(_ token: String) throws -> HTTPReply {
                try world.server.call("GET", World.api + "get-all-device", token: token)
            }
            expect(try get(key.access(user: user)), json: "[]")
            expect(try get(key.access(user: user, kid: "any")), json: "[]", "a PEM file has no kid to compare")
            let past = #"{"sub":"\#(user)","exp":\#(Token.now - 1)}"#
            expect(try get(key.token(past)), 401, "Token is expired")
            let claims = #"{"sub":"\#(user)","exp":\#(Token.now + 60)}"#
            let pem = String(decoding: try key.publicPEM(), as: UTF8.self)
            let good = try key.access(user: user)
            for wrong in [
                try stranger.access(user: user), try stranger.token(past), Token.access(user: user),
                Token.make(claims, secret: pem),
                Token.make(claims, header: #"{"alg":"\#(key.algorithm)"}"#, secret: pem),
                try key.token(claims, header: #"{"alg":"none"}"#), try key.token(claims, header: #"{"alg":"HS256"}"#),
                String(good.dropLast(4)), good + "AAAA", good.prefix { $0 != "." } + ".",
            ] { expect(try get(wrong), 401, "Could not validate credentials", wrong) }
            world.server.stop()
        }
    }

    @Test func `a JWKS verifies the tokens of each of its keys by kid`() async throws {
        try await onThread {
            let (rsa, curve) = (try SigningKey(.rsa(bits: 2_048)), try SigningKey(.curve("P-256")))
            let path = try file(
                SigningKey.set(rsa.jwk("2025", #","use":"sig","alg":"RS256""#), curve.jwk("2026"), #"{"kty":"oct"}"#))
            let world = try world(["LUX_JWT_PUBLIC_KEY": path])
            let user = try world.user()
            for (token, status) in [
                (try rsa.access(user: user, kid: "2025"), 200), (try curve.access(user: user, kid: "2026"), 200),
                (try curve.access(user: user, kid: "2025"), 401), (try rsa.access(user: user, kid: "2026"), 401),
                (try curve.access(user: user, kid: "2027"), 401), (try curve.access(user: user), 401),
                (Token.access(user: user), 401),
            ] { #expect(try self.status(token, world) == status, "\(token)") }
            let lines = world.server.logLines { $0["message"]?.string == "a key of the JWKS is not used" }
            #expect(lines.first?["cause"]?.string == "key 3: kty is none of RSA, EC and OKP")
            world.server.stop()
        }
    }

    @Test func `SIGHUP loads the keys of a rewritten file, and keeps the old ones when it is bad`() async throws {
        try await onThread {
            let (old, new) = (try SigningKey(.curve("P-256")), try SigningKey(.curve("P-256")))
            let path = try file(SigningKey.set(old.jwk("a")))
            let world = try world(["LUX_JWT_PUBLIC_KEY": path])
            let user = try world.user()
            let (first, second) = (try old.access(user: user, kid: "a"), try new.access(user: user, kid: "b"))
            let connection = try world.server.connect()
            func both() throws -> [Int] {
                // The connection that was there before uses the new keys as well.
                try [first, second].map { token in
                    try connection.send(TestServer.request("GET", World.api + "get-all-device", token: token))
                    let kept = try connection.receive().status
                    #expect(try status(token, world) == kept)
                    return kept
                }
            }
            #expect(try both() == [200, 401])
            try write(SigningKey.set(old.jwk("a"), new.jwk("b")), path)
            hangUp(world, until: Self.read)
            #expect(try both() == [200, 200])
            try write(SigningKey.set(new.jwk("b")), path)
            hangUp(world, until: Self.read)
            #expect(try both() == [401, 200])
            for bad in [
                "", "{", SigningKey.set(old.jwk("a"), new.jwk("a")), SigningKey.set(old.jwk("a", #","use":"enc""#)),
                String(decoding: try Data(contentsOf: URL(fileURLWithPath: old.privateFile)), as: UTF8.self),
            ] {
                try write(bad, path)
                hangUp(world, until: Self.kept)
                #expect(try both() == [401, 200], "\(bad)")
            }
            try FileManager.default.removeItem(atPath: path)
            hangUp(world, until: Self.kept)
            #expect(try both() == [401, 200], "no file")
            try write(String(decoding: try old.publicPEM(), as: UTF8.self), path)
            hangUp(world, until: Self.read)
            #expect(try both() == [200, 401], "a PEM file in the place of a JWKS")
            world.server.stop()
        }
    }

    @Test func `a file that changes is read without a signal, and one that looks the same on SIGHUP only`() async throws
    {
        try await onThread {
            let keys = try (0..<3).map { _ in try SigningKey(.curve("P-256")) }
            let path = try file(SigningKey.set(keys[0].jwk("a")))
            func setTime() {
                let time = timespec(tv_sec: 1_700_000_000, tv_nsec: 0)
                utimensat(AT_FDCWD, path, [time, time], 0)
            }
            setTime()
            let world = try world(["LUX_JWT_PUBLIC_KEY": path])
            let user = try world.user()
            let tokens = try keys.map { try $0.access(user: user, kid: "a") }
            func statuses() throws -> [Int] { try tokens.map { try status($0, world) } }
            #expect(try statuses() == [200, 401, 401])

            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.write(contentsOf: Data(SigningKey.set(keys[1].jwk("a")).utf8))
            let first = count(Self.read, world)
            setTime()
            #expect(waits(for: Self.read, first + 1, world), "same size, file and time of modification")
            #expect(try statuses() == [401, 200, 401])
            hangUp(world, until: Self.read)
            #expect(try statuses() == [401, 200, 401])

            var read = count(Self.read, world)
            try handle.seek(toOffset: 0)
            try handle.write(contentsOf: Data(SigningKey.set(keys[2].jwk("a")).utf8))
            #expect(waits(for: Self.read, read + 1, world), "written in place")
            #expect(try statuses() == [401, 401, 200])

            read = count(Self.read, world)
            let other = try file(SigningKey.set(keys[0].jwk("a")))
            #expect(rename(other, path) == 0)
            #expect(waits(for: Self.read, read + 1, world), "another file of the name")
            #expect(try statuses() == [200, 401, 401])

            try write("nothing", path)
            #expect(waits(for: Self.kept, 1, world))
            usleep(2_500_000)
            #expect(count(Self.kept, world) == 1, "reported once")
            #expect(try statuses() == [200, 401, 401])
            world.server.stop()
        }
    }

    @Test func `a key that stays is accepted while others are added and removed`() async throws {
        try await onThread {
            let (stays, comes) = (try SigningKey(.curve("P-256")), try SigningKey(.rsa(bits: 2_048)))
            let sets = [SigningKey.set(stays.jwk("a")), SigningKey.set(comes.jwk("b"), stays.jwk("a"))]
            let path = try file(sets[0])
            let world = try world(["LUX_JWT_PUBLIC_KEY": path])
            let (server, token) = (world.server, try stays.access(user: try world.user(), kid: "a"))
            let isOver = Flag()
            // The last one changes the keys, the others send requests.
            let rejected = try simultaneously(5) { index in
                guard index == 4 else {
                    let client = try server.connect()
                    var rejected = 0
                    while !isOver.isSet {
                        try client.send(TestServer.request("GET", World.api + "get-all-device", token: token))
                        if try client.receive().status != 200 { rejected += 1 }
                    }
                    return rejected
                }
                defer { isOver.set() }
                for round in 1...40 {
                    try Data(sets[round % 2].utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
                    server.process.signal(SIGHUP)
                    usleep(25_000)
                }
                return 0
            }
            #expect(rejected == [0, 0, 0, 0, 0])
            #expect(count(Self.read, world) > 20)
            #expect(count(Self.kept, world) == 0)
            server.stop()
        }
    }

    @Test func `one SIGHUP reads the certificate and the keys`() async throws {
        try await onThread {
            let certificate = try TestCertificate(serial: 21)
            let (old, new) = (try SigningKey(.curve("P-256")), try SigningKey(.curve("P-256")))
            let path = try file(String(decoding: try old.publicPEM(), as: UTF8.self))
            let variables = certificate.environment.merging(["LUX_JWT_PUBLIC_KEY": path]) { $1 }
            let world = try world(variables)
            let user = try world.user()
            func get(_ key: SigningKey) throws -> (status: Int, serial: String?) {
                let client = try HTTPClient(port: world.server.port, offer: TLSClient.Offer())
                try client.send(
                    TestServer.request("GET", World.api + "get-all-device", token: try key.access(user: user)))
                return (try client.receive().status, client.tls?.certificateSerial)
            }
            #expect(try get(old) == (200, "21"))
            #expect(try get(new) == (401, "21"))
            try certificate.replace(with: TestCertificate(serial: 22))
            try write(String(decoding: try new.publicPEM(), as: UTF8.self), path)
            hangUp(world, until: "certificate and key were read")
            #expect(waits(for: Self.read, 2, world))
            #expect(try get(old) == (401, "22"))
            #expect(try get(new) == (200, "22"))
            world.server.stop()
        }
    }

    @Test func `several secrets are valid at the same time, and the first signs`() async throws {
        try await onThread {
            let secrets = ["one", "two"].map { "secret-number-\($0)-of-more-than-32-bytes" }
            let path = try file("\n" + secrets.joined(separator: "\r\n") + "\n")
            for variables in [
                ["LUX_JWT_SECRET": secrets.joined(separator: ",")], ["LUX_JWT_SECRET_FILE": path],
            ] {
                let world = try world(variables)
                let user = try world.user()
                let claims = #"{"sub":"\#(user)","exp":\#(Token.now + 60)}"#
                for secret in secrets { #expect(try status(Token.make(claims, secret: secret), world) == 200) }
                for wrong in [secrets.joined(separator: ","), secrets[1] + "\r", Token.secret] {
                    #expect(try status(Token.make(claims, secret: wrong), world) == 401, "\(wrong)")
                }
                let run = try LUXCommand.run(["token", "--user", String(user)], environment: variables)
                let token = run.output.trimmingCharacters(in: .whitespacesAndNewlines)
                let parts = token.split(separator: ".")
                try #require(parts.count == 3, "\(run.everything)")
                #expect(Token.signature(parts[0] + "." + parts[1], secret: secrets[0]) == parts[2])
                if variables["LUX_JWT_SECRET_FILE"] != nil {
                    try write(secrets[1], path)
                    hangUp(world, until: Self.read)
                    #expect(try status(Token.make(claims, secret: secrets[0]), world) == 401)
                    #expect(try status(Token.make(claims, secret: secrets[1]), world) == 200)
                }
                world.server.stop()
            }
        }
    }

    @Test func `no token can be signed with a public key`() async throws {
        try await onThread {
            let key = try SigningKey(.curve("P-256"))
            let run = try LUXCommand.run(
                ["token", "--user", "1"], environment: ["LUX_JWT_PUBLIC_KEY": key.publicFile])
            #expect(run.ending == .exit(78) && run.output.isEmpty)
            #expect(run.errors.contains("LUX_JWT_PUBLIC_KEY: a public key signs no tokens; set LUX_JWT_SECRET"))
        }
    }
}
