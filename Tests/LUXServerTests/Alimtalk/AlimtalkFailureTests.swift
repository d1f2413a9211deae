import Foundation
import Glibc
import LUXTestSupport
import Testing

/// POST alimtalk while the client, the database, the name server or the server itself fails.
@Suite struct AlimtalkFailureTests {
    private static let kit = AlimtalkKit.nhn

    private func status(_ world: World) throws -> [String?] {
        try world.sql.query("select status from alimtalks order by id").map { $0[0] }
    }

    /// Waits until a condition is true; returns false after a minute.
    private func waits(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<3_000 {
            if try condition() { return true }
            usleep(20_000)
        }
        return false
    }

    @Test func `a message whose client hangs up is sent and its row settled`() async throws {
        try await onThread {
            let (provider, isGone) = (try FakeProvider(), Flag())
            let accepted = Self.kit.accepted
            provider.reset(responding: { _ in
                while !isGone.isSet { usleep(10_000) }
                return accepted.reply
            })
            let world = try World.own(environment: Self.kit.environment(provider.baseURL))
            let user = try world.user(phone: "+821093847561")
            do {
                let client = try world.server.connect()
                try client.send(TestServer.request("POST", World.api + "alimtalk", token: Token.access(user: user)))
                #expect(waits { provider.requests.count == 1 })
                client.abort()
            }
            // Once the server has sent a response on each of its loops, it has noticed.
            for _ in 0..<20 { #expect(try world.server.call("GET", "/healthz").status == 200) }
            isGone.set()
            #expect(try waits { try status(world) == ["sent"] })
            #expect(provider.requests.count == 1)
            world.server.stop()
        }
    }

    @Test func `sends nothing to an account that was deleted meanwhile`() async throws {
        try await onThread {
            let provider = try FakeProvider(Self.kit.accepted.reply)
            let world = try World.own(environment: Self.kit.environment(provider.baseURL))
            let user = try world.user(phone: "+821093847561")
            try world.sql.script("begin; delete from users where id = \(user)")
            let client = try world.server.connect()
            try client.send(TestServer.request("POST", World.api + "alimtalk", token: Token.access(user: user)))
            let other = try world.server.connect()
            for _ in 0..<50 {
                try other.send(TestServer.request("GET", "/healthz"))
                _ = try other.receive()
                usleep(5_000)
            }
            try world.sql.script("commit")
            expect(try client.receive(), 403, "Phone number is not found")
            #expect(try status(world).isEmpty && provider.requests.isEmpty)
            world.server.stop()
        }
    }

    @Test func `a request ends by its deadline, however much of its time the database took before the message`()
        async throws
    {
        try await onThread {
            let provider = try FakeProvider(.hang)
            let world = try World.own(
                environment: Self.kit.environment(
                    provider.baseURL, ["LUX_REQUEST_TIMEOUT": "6", "LUX_ALIMTALK_TIMEOUT": "6"]))
            let user = try world.user(phone: "+821093847561")
            try world.sql.script("begin; lock table alimtalks in access exclusive mode")
            let (server, began) = (world.server, Date())
            let hasResponded = Flag()
            Thread.detachNewThread {
                let reply = try? server.call("POST", World.api + "alimtalk", token: Token.access(user: user))
                #expect(reply?.status == 409)
                hasResponded.set()
            }
            Thread.sleep(forTimeInterval: 4)
            try world.sql.script("rollback")
            #expect(waits { hasResponded.isSet })
            let seconds = Date().timeIntervalSince(began)
            #expect(provider.requests.count >= 1 && seconds < 8, "\(seconds) s")
            #expect(try waits { try status(world) == ["unknown"] })
            world.server.stop()
        }
    }

    @Test func `a response does not wait beyond its deadline for a row that cannot be settled`() async throws {
        try await onThread {
            let (provider, isLocked) = (try FakeProvider(), Flag())
            let accepted = Self.kit.accepted
            provider.reset(responding: { _ in
                // Most of the time is gone when the row is to be settled.
                Thread.sleep(forTimeInterval: 6)
                while !isLocked.isSet { usleep(10_000) }
                return accepted.reply
            })
            let world = try World.own(
                environment: Self.kit.environment(
                    provider.baseURL, ["LUX_REQUEST_TIMEOUT": "9", "LUX_ALIMTALK_TIMEOUT": "9"]))
            let user = try world.user(phone: "+821093847561")
            let (server, responses, began) = (world.server, Counter(), Date())
            Thread.detachNewThread {
                let reply = try? server.call("POST", World.api + "alimtalk", token: Token.access(user: user))
                #expect(reply?.status == 200 && reply?.text == "null")
                responses.increment()
            }
            #expect(waits { provider.requests.count == 1 })
            try world.sql.script("begin; lock table alimtalks in access exclusive mode")
            isLocked.set()
            // While the lock is still held.
            #expect(waits { responses.value == 1 })
            let seconds = Date().timeIntervalSince(began)
            #expect(seconds < 12, "\(seconds) s")
            try world.sql.script("rollback")
            // Settled if the lock was released before the statement was given up.
            #expect(try [["pending"], ["sent"]].contains(status(world)))
            world.server.stop()
        }
    }

    @Test func `proxies that the environment names are not used`() async throws {
        try await onThread {
            let (provider, proxy) = (try FakeProvider(Self.kit.accepted.reply), try FakeProvider(.reply(200, "{}")))
            var environment = Self.kit.environment(provider.baseURL)
            for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
                environment[name] = proxy.baseURL
            }
            let world = try World.own(environment: environment)
            let user = try world.user(phone: "+821093847561")
            expect(try world.call("POST", "alimtalk", as: user), json: "null")
            #expect(provider.requests.count == 1 && proxy.connections == 0)
            world.server.stop()
        }
    }

    @Test func `a redirect is not followed, wherever it leads`() async throws {
        try await onThread {
            let target = try FakeProvider(Self.kit.accepted.reply)
            let provider = try FakeProvider()
            let world = try World.own(environment: Self.kit.environment(provider.baseURL))
            for status in [301, 302, 303, 307, 308] {
                provider.reset(to: .reply(status, "", headers: ["Location: \(target.baseURL)/alimtalk"]))
                let user = try world.user(phone: "+821093847561")
                expect(try world.call("POST", "alimtalk", as: user), 409, "Alimtalk send failed", "\(status)")
                #expect(provider.requests.count == 1 && target.connections == 0)
            }
            world.server.stop()
        }
    }

    /// A library before libc's whose look-ups of the provider's name take a minute.
    private func slowNames() throws -> String {
        try preloadedLibrary(
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <netdb.h>
            #include <string.h>
            #include <unistd.h>
            typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);
            int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
                if (node && !strcmp(node, "provider.test")) sleep(60);
                return ((look_up *)dlsym(RTLD_NEXT, "getaddrinfo"))(node, service, hints, found);
            }
            """)
    }

    @Test func `a name server that does not respond costs no more than the message's timeout`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let environment = Self.kit.environment(
                "http://provider.test", ["LUX_ALIMTALK_TIMEOUT": "3", "LD_PRELOAD": try slowNames()])
            let world = try World(database, try TestServer(database, environment: environment))
            let user = try world.user(phone: "+821093847561")
            for count in 1...2 {
                let began = Date()
                expect(try world.call("POST", "alimtalk", as: user), 409, "Alimtalk send failed")
                #expect(Date().timeIntervalSince(began) < 15)
                #expect(try status(world) == Array(repeating: "failed", count: count))
            }
            let began = Date()
            world.server.process.signal(SIGTERM)
            #expect(world.server.process.wait(seconds: 30) == .exit(0))
            #expect(Date().timeIntervalSince(began) < 20)
        }
    }

    /// A library before libc's that resolves the provider's name to the address in a file.
    private func changingName(_ path: String) throws -> String {
        try preloadedLibrary(
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <netdb.h>
            #include <stdio.h>
            #include <string.h>
            typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);
            int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
                char address[64] = "";
                if (node && !strcmp(node, "provider.test")) {
                    FILE *file = fopen("\(path)", "r");
                    if (file) { if (fscanf(file, "%63s", address) != 1) address[0] = 0; fclose(file); }
                }
                return ((look_up *)dlsym(RTLD_NEXT, "getaddrinfo"))(address[0] ? address : node, service, hints, found);
            }
            """)
    }

    @Test func `an address that the provider has left is not used again`() async throws {
        try await onThread {
            let provider = try FakeProvider(Self.kit.accepted.reply)
            let path = try makeTemporaryFolder() + "/address"
            let environment = Self.kit.environment(
                "http://provider.test:\(provider.port)", ["LD_PRELOAD": try changingName(path)])
            try "127.0.0.1".write(toFile: path, atomically: true, encoding: .utf8)
            let database = try TestDatabase.make()
            let world = try World(database, try TestServer(database, environment: environment))
            let user = try world.user(phone: "+821093847561")
            expect(try world.call("POST", "alimtalk", as: user), json: "null")
            // Nobody listens there.
            try "127.0.0.2".write(toFile: path, atomically: true, encoding: .utf8)
            expect(try world.call("POST", "alimtalk", as: user), 409, "Alimtalk send failed")
            try "127.0.0.1".write(toFile: path, atomically: true, encoding: .utf8)
            expect(try world.call("POST", "alimtalk", as: user), json: "null")
            #expect(try status(world) == ["sent", "failed", "sent"])
            #expect(provider.requests.count == 2)
            world.server.stop()
        }
    }

    @Test func `the server stops within its drain timeout with calls in flight, and leaves their rows pending`()
        async throws
    {
        try await onThread {
            let authority = try TestCA()
            let provider = try FakeProvider(
                .slow(200, String(repeating: " ", count: 10_000), pause: 0.001),
                certificate: try authority.issue("good"))
            let environment = Self.kit.environment(
                provider.baseURL, ["LUX_DRAIN_TIMEOUT": "1", "LUX_ALIMTALK_TIMEOUT": "9"]
            ).merging(try authority.asRoot()) { $1 }
            let world = try World.own(environment: environment)
            let server = world.server
            // More than an account's share, but not more than the slots of all.
            for _ in 0..<16 {
                let token = Token.access(user: try world.user(phone: "+821093847561"))
                Thread.detachNewThread { _ = try? server.call("POST", World.api + "alimtalk", token: token) }
            }
            #expect(waits { provider.requests.count == 16 })
            server.process.signal(SIGTERM)
            #expect(server.process.wait(seconds: 30) == .exit(0), "\(server.process.errors)")
            #expect(try status(world) == Array(repeating: "pending", count: 16))
        }
    }
}
