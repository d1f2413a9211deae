import LUXAPI
import LUXTestSupport
import Testing

/// Paths, methods, and the order in which a request is judged.
@Suite struct RoutingTests {
    let world: World

    init() throws { world = try World() }

    static let endpoints = Endpoint.allCases.map { (method: $0.method, name: $0.name) }

    @Test func `rejects an unknown path with 404 before anything else`() throws {
        let paths = [
            "/", "/api", "/api/v1/lux/device", "/api/v1/lux/device/", "/api/v1/lux/device/none",
            "/api/v1/lux/device/devlogs", "/api/v1/lux/device/devlog/1", "/API/v1/lux/device/devlog",
            "/api/v1/lux/device/Devlog", "//api/v1/lux/device/devlog", "/api/v1/lux/device/..%2fdevlog",
            "/api/v1/lux/device/devlog%20",
        ]
        for path in paths {
            for method in ["GET", "POST", "DELETE", "BREW"] {
                expect(try world.call(method, path), 404, "Resource not found", "\(method) \(path)")
            }
        }
    }

    @Test func `rejects another method with 405 and Allow, before it looks at the token`() throws {
        for (method, name) in Self.endpoints {
            let allowed: Set = method == "GET" ? ["GET", "HEAD"] : [method]
            for other in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"]
            where !allowed.contains(other) {
                let reply = try world.call(other, name)
                #expect(reply.status == 405, "\(other) \(name) → \(reply.summary)")
                if other != "HEAD" { expect(reply, 405, "Method not allowed", "\(other) \(name)") }
                let named = (reply.header("Allow") ?? "").split(separator: ",").map { $0.drop { $0 == " " } }
                #expect(Set(named.map(String.init)) == allowed, "\(other) \(name)")
            }
        }
    }

    @Test func `requires a token at every endpoint before it looks at parameters and body`() throws {
        let expired = Token.access(user: 1, ttl: -10)
        for (method, name) in Self.endpoints {
            for target in [name, name + "?real_user_id=x&unique_id="] {
                let body = method == "GET" ? nil : "{"
                expect(
                    try world.call(method, target, body: body), 401, "Could not validate credentials", target)
                let old = try world.call(method, target, headers: [("Authorization", "Bearer \(expired)")], body: body)
                expect(old, 401, "Token is expired", target)
            }
        }
    }

    @Test func `looks at parameters and body before the endpoint's own checks`() throws {
        let errors: [(method: String, target: String, body: String?, field: String)] = [
            ("GET", "child-device", nil, "real_user_id"), ("GET", "check-device", nil, "unique_id"),
            ("POST", "set-my-device?real_user_id=\(absentID)", nil, "serial_code"),
            ("PATCH", "un-connect?real_user_id=\(absentID)", nil, "unique_id"),
            ("PATCH", "update-alias", #"{"device_id":1,"real_user_id":\#(absentID)}"#, "device_alias"),
            ("POST", "devlog", "{}", "log_arrays"),
        ]
        for (method, target, body, field) in errors {
            expectInvalid(try world.call(method, target, as: absentID, body: body), at: field, target)
        }
    }

    @Test func `serves a percent-encoded path like the plain one`() throws {
        let user = try world.user()
        expect(try world.call("GET", "/api/v1/lux/device/get%2Dall%2ddevice", as: user), json: "[]")
    }

    @Test func `serves HEAD as GET without the body`() throws {
        let (user, child, _) = try world.family()
        for target in ["get-all-device", "child-device?real_user_id=\(child)", "child-device", "/healthz", "/readyz"] {
            let get = try world.call("GET", target, as: user)
            let head = try world.call("HEAD", target, as: user)
            #expect(head.status == get.status, "\(target)")
            #expect(head.body.isEmpty)
            #expect(head.header("Content-Length") == String(get.body.count), "\(target)")
            #expect(head.header("Content-Type") == get.header("Content-Type"), "\(target)")
        }
        let missing = try world.call("HEAD", "/none")
        #expect(missing.status == 404 && missing.body.isEmpty)
        let closing = try world.server.connect()
        try closing.send("HEAD /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        #expect(try closing.receive(to: "HEAD").status == 200)
        #expect(try closing.isEnded(), "no byte of a body")
    }

    @Test func `accepts a body where none is needed`() throws {
        let user = try world.user()
        expect(try world.call("GET", "get-all-device", as: user, body: "{"), json: "[]")
        expect(try world.call("POST", "/healthz", body: "x"), 405, "Method not allowed")
        expect(try world.call("GET", "get-all-device", as: user), json: "[]", "the connection goes on")
    }
}
