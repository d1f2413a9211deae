import LUXTestSupport
import Testing

/// HTTPS to a provider: the system's roots decide, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, and there is no way around them.
@Suite struct AlimtalkTLSTests {
    private func world(
        _ kit: AlimtalkKit, _ provider: FakeProvider, trusting authority: TestCA?, inFolder: Bool = false
    ) throws -> World {
        try World.own(environment: kit.environment(provider.baseURL, try authority?.asRoot(inFolder: inFolder) ?? [:]))
    }

    @Test func `a message goes through TLS to a provider whose certificate is good`() async throws {
        try await onThread {
            let authority = try TestCA()
            for (kit, inFolder) in [(AlimtalkKit.nhn, false), (.solapi, true), (.sens, false), (.aligo, false)] {
                let provider = try FakeProvider(kit.accepted.reply, certificate: try authority.issue("good"))
                let world = try world(kit, provider, trusting: authority, inFolder: inFolder)
                let user = try world.user(phone: "+821093847561")
                for _ in 0..<2 { expect(try world.call("POST", "alimtalk", as: user), json: "null") }
                #expect(provider.requests.count == 2)
                #expect(try world.sql.value("select message_id from alimtalks") == kit.accepted.id)
                world.server.stop()
            }
        }
    }

    @Test func `errors after a good handshake have the same outcomes as without TLS`() async throws {
        try await onThread {
            let (kit, authority) = (AlimtalkKit.solapi, try TestCA())
            let provider = try FakeProvider(certificate: try authority.issue("good"))
            let world = try world(kit, provider, trusting: authority)
            // Without a handshake nothing is sent, so the attempt is retried.
            let cases =
                kit.commonCases.filter { $0.name != "reset before the request was read" } + [
                    .init("reset before the handshake", .resetBefore, .notTaken, "solapi: ", calls: 2),
                    .init("no handshake", .silent, .notTaken, "no connection in time", calls: 2),
                ]
            for test in cases {
                provider.reset(to: kit.accepted.reply)
                let other = try world.user(phone: "+821093847561")
                expect(try world.call("POST", "alimtalk", as: other), json: "null", "before \(test.name)")
                provider.reset(to: test.behaviour)
                let user = try world.user(phone: "+821093847561")
                expect(try world.call("POST", "alimtalk", as: user), 409, "Alimtalk send failed", test.name)
                let row = try world.sql.query("select status, error from alimtalks where user_id = $1", [String(user)])
                #expect(row.count == 1 && row[0][0] == test.verdict.row, "\(test.name) → \(row)")
                #expect(row.first?[1]?.contains(test.error) == true, "\(test.name) → \(row)")
                let calls = provider.connections
                #expect(test.calls == 1 ? calls == 1 : (2...3).contains(calls), "\(test.name): \(calls) calls")
            }
            world.server.stop()
        }
    }

    /// A library that reports each function that is registered to run when the process ends.
    private func reportingHandlers() throws -> String {
        try preloadedLibrary(
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <stdio.h>
            typedef int registration(void (*)(void *), void *, void *);
            int __cxa_atexit(void (*handler)(void *), void *argument, void *object) {
                Dl_info found;
                if (dladdr((void *)handler, &found)) fprintf(stderr, "at exit: %s\\n", found.dli_sname ? found.dli_sname : "?");
                return ((registration *)dlsym(RTLD_NEXT, "__cxa_atexit"))(handler, argument, object);
            }
            """)
    }

    @Test func `OpenSSL does not clean up at the end of the process, when messages may be in flight`() async throws {
        try await onThread {
            let (kit, authority) = (AlimtalkKit.solapi, try TestCA())
            let provider = try FakeProvider(kit.accepted.reply, certificate: try authority.issue("good"))
            let environment = kit.environment(provider.baseURL, try authority.asRoot())
            let run = try LUXCommand.run(
                ["alimtalk", "test", "--to", "01093847561"],
                environment: environment.merging(["LD_PRELOAD": try reportingHandlers()]) { $1 })
            #expect(run.ending == .exit(0) && provider.requests.count == 1, "\(run.everything)")
            #expect(run.errors.contains("at exit: "), "the library reports nothing")
            #expect(!run.errors.contains("at exit: OPENSSL_cleanup"), "\(run.errors)")
        }
    }

    @Test func `sends nothing to a provider with a wrong or expired certificate`() async throws {
        try await onThread {
            let (authority, other) = (try TestCA(), try TestCA())
            let cases: [(name: String, leaf: TestCA.Leaf, root: TestCA?, error: String)] = [
                ("of another authority", try other.issue("other"), authority, "certificate"),
                ("of no authority of the system", try authority.issue("own"), nil, "certificate"),
                ("of another host", try authority.issue("host", for: "DNS:other.test"), authority, "subject name"),
                ("expired", try authority.issue("expired", days: -1), authority, "expired"),
            ]
            for kit in AlimtalkKit.allCases {
                for (name, leaf, root, error) in cases {
                    let provider = try FakeProvider(kit.accepted.reply, certificate: leaf)
                    let world = try world(kit, provider, trusting: root)
                    let user = try world.user(phone: "+821093847561")
                    expect(try world.call("POST", "alimtalk", as: user), 409, "Alimtalk send failed", name)
                    #expect(provider.requests.isEmpty, "\(name)")
                    let row = try world.sql.query("select status, error from alimtalks")
                    #expect(row.count == 1 && row[0][0] == "failed", "\(row)")
                    #expect(row.first?[1]?.contains(error) == true, "\(row)")
                    #expect(row.first?[1]?.contains("name the root in SSL_CERT_FILE") == true, "\(row)")
                    // Nothing was sent, so there was more than one attempt.
                    #expect((2...3).contains(provider.connections), "\(name): \(provider.connections)")
                    world.server.stop()
                }
            }
        }
    }
}
