import LUXTestSupport
import Testing

/// Calls by pages of other origins.
@Suite struct CORSTests {
    private static let app = "https://app.example.com"

    private struct Case {
        var origin: String?
        var allowed: String?
    }

    private func expect(
        _ world: World, _ cases: [Case], vary: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for test in cases {
            let headers = test.origin.map { [("Origin", $0)] } ?? []
            let replies = [
                (200, try world.call("GET", "/healthz", headers: headers)),
                (401, try world.call("GET", "get-all-device", headers: headers)),
                (404, try world.call("GET", "/none", headers: headers)),
            ]
            for (status, reply) in replies {
                let context = "\(test) → \(reply.headers)"
                #expect(reply.status == status, "\(context)", sourceLocation: sourceLocation)
                #expect(reply.header("Access-Control-Allow-Origin") == test.allowed, "\(context)")
                let exposed = reply.header("Access-Control-Expose-Headers")
                #expect(exposed == test.allowed.map { _ in "X-Request-ID, Retry-After" }, "\(context)")
                #expect(reply.values("Vary") == vary, "\(context)")
                #expect(reply.header("Access-Control-Allow-Credentials") == nil)
            }
            let preflight = try world.call(
                "OPTIONS", "update-alias",
                headers: headers + [
                    ("Access-Control-Request-Method", "PATCH"),
                    ("Access-Control-Request-Headers", "authorization,content-type"),
                ])
            let context = "\(test) → \(preflight.status) \(preflight.headers)"
            #expect(preflight.status == (test.allowed == nil ? 405 : 204), "\(context)")
            #expect(preflight.header("Access-Control-Allow-Origin") == test.allowed, "\(context)")
            #expect(preflight.header("Access-Control-Allow-Methods") == test.allowed.map { _ in "PATCH" }, "\(context)")
            let wanted = test.allowed.map { _ in
                "Authorization, Content-Type, X-Request-ID, Idempotency-Key, traceparent"
            }
            #expect(preflight.header("Access-Control-Allow-Headers") == wanted, "\(context)")
            #expect(preflight.header("Access-Control-Max-Age") == test.allowed.map { _ in "7200" }, "\(context)")
            #expect(preflight.values("Vary") == vary, "\(context)")
            #expect(preflight.header("Access-Control-Allow-Credentials") == nil)
        }
    }

    @Test func `is off unless it is set`() throws {
        try expect(try World(), [Case(), Case(origin: Self.app), Case(origin: "null")], vary: [])
    }

    @Test func `lets the origins of LUX_CORS_ORIGINS in and no others`() async throws {
        try await onThread {
            let world = try World.own(environment: [
                "LUX_CORS_ORIGINS": "\(Self.app), HTTP://localhost:3000,https://a.example:443"
            ])
            let cases = [
                Case(), Case(origin: Self.app, allowed: Self.app),
                Case(origin: "http://localhost:3000", allowed: "http://localhost:3000"),
                Case(origin: "https://a.example", allowed: "https://a.example"), Case(origin: "null"),
                Case(origin: "http://app.example.com"), Case(origin: Self.app + ".evil.example"),
                Case(origin: Self.app + ":8443"), Case(origin: "https://evil.example"), Case(origin: "*"),
            ]
            try expect(world, cases, vary: ["Origin"])
            let two = [("Origin", Self.app), ("Origin", Self.app)]
            #expect(try world.call("GET", "/healthz", headers: two).header("Access-Control-Allow-Origin") == nil)
            let plain = try world.call("OPTIONS", "devlog", headers: [("Origin", Self.app)])
            #expect(plain.status == 405 && plain.header("Allow") == "POST", "no preflight: no method is asked for")
            let rejected = try world.server.connect()
            try rejected.send(
                "GET /healthz HTTP/1.1\r\nHost: h\r\nOrigin: \(Self.app)\r\nContent-Length: 99999999\r\n\r\n")
            let tooLarge = try rejected.receive(to: "GET")
            #expect(tooLarge.status == 413 && tooLarge.header("Access-Control-Allow-Origin") == Self.app)
            world.server.stop()
        }
    }

    @Test func `lets all origins in with an asterisk`() async throws {
        try await onThread {
            let world = try World.own(environment: ["LUX_CORS_ORIGINS": "*"])
            let cases = [Case(), Case(origin: Self.app, allowed: "*"), Case(origin: "null", allowed: "*")]
            try expect(world, cases, vary: [])
            world.server.stop()
        }
    }
}
