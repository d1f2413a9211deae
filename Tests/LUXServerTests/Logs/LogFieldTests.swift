import Foundation
import LUXTestSupport
import Testing

@testable import LUXServer

/// The values of the fields of a line.
@Suite struct LogFieldTests {
    let world: World

    init() throws { world = try World() }

    private func line(_ reply: HTTPReply) throws -> JSONValue {
        try Self.line(reply, of: world.server)
    }

    private static func line(_ reply: HTTPReply, of server: TestServer) throws -> JSONValue {
        try #require(server.logLines(request: reply.requestID ?? "?").first, "\(reply.summary)")
    }

    @Test func `trace_id and span_id come from traceparent and appear nowhere else`() throws {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
        let field = ("traceparent", "00-\(trace)-\(span)-01")
        let replies = [
            try world.call("GET", "/healthz", headers: [field]),
            try world.call("GET", "get-all-device", headers: [field]),
            // Rejected before it is a request to the API.
            try world.server.call("POST", "/healthz", headers: [field, ("Content-Length", "2000000")]),
        ]
        #expect(replies.map(\.status) == [200, 401, 413])
        for reply in replies {
            let line = try line(reply)
            #expect(line["trace_id"]?.string == trace && line["span_id"]?.string == span, "\(line)")
            #expect(!reply.text.contains(trace))
            #expect(!reply.headers.contains { $0.name.lowercased().hasPrefix("trace") || $0.value.contains(trace) })
        }
        for headers in [[], [field, field], [("traceparent", "00-\(trace)-0000000000000000-01")]] {
            let line = try line(world.call("GET", "/healthz", headers: headers))
            #expect(line["trace_id"] == nil && line["span_id"] == nil, "\(headers)")
        }
    }

    /// The causes of 401, each with an Authorization field that earns it.
    private static func rejections(user: Int64, exp: Int) -> [(cause: String, fields: [String])] {
        let good = Token.access(user: user)
        func claims(_ more: String = "", sub: String? = nil, exp: String? = nil) -> String {
            #"{"sub":\#(sub ?? String(user)),"iss":"i","aud":"a","exp":\#(exp ?? "\(Token.now + 60)")\#(more)}"#
        }
        func bearer(_ claims: String, header: String = Token.header, secret: String = Token.secret) -> [String] {
            ["Bearer " + Token.make(claims, header: header, secret: secret)]
        }
        return [
            ("no Authorization field", []),
            ("several Authorization fields", ["Bearer \(good)", "Bearer \(good)"]),
            ("the Authorization field contains no bearer token", ["Basic \(good)"]),
            ("token, malformed", ["Bearer \(good).x"]), ("token, malformed", ["Bearer x"]),
            ("token, malformed", bearer("[]")),
            ("token, algorithm", bearer(claims(), header: #"{"alg":"none"}"#)),
            ("token, crit", bearer(claims(), header: #"{"alg":"HS256","crit":["exp"]}"#)),
            ("token, signature", bearer(claims(), secret: "another-secret-another-secret-another")),
            ("token, exp: missing", bearer(claims(exp: "null"))),
            ("token, nbf: missing", bearer(claims(#","nbf":"x""#))),
            ("token, nbf: not valid yet", bearer(claims(#","nbf":\#(exp + 100)"#))),
            ("token, iss", bearer(claims(#","iss":"x""#))), ("token, aud", bearer(claims(#","aud":"x""#))),
            ("token, sub: no id of a user", bearer(claims(sub: "\"x\""))),
            ("token, exp: expired", bearer(claims(exp: "1"))),
        ]
    }

    @Test func `the cause of a 401 names the check that failed, without the token`() async throws {
        let user = try world.user()
        try await onThread {
            let server = try TestServer(
                World.sharedDatabase, environment: ["LUX_JWT_ISSUER": "i", "LUX_JWT_AUDIENCE": "a"])
            for (cause, fields) in Self.rejections(user: user, exp: Token.now) {
                let reply = try server.call(
                    "GET", World.api + "get-all-device", headers: fields.map { ("Authorization", $0) })
                #expect(reply.status == 401, "\(cause)")
                let logged = try Self.line(reply, of: server)["cause"]?.string ?? ""
                #expect(logged.hasPrefix(cause), "\(logged) for \(cause)")
                #expect(!reply.text.contains(logged))
            }
            server.stop()
            for (_, fields) in Self.rejections(user: user, exp: Token.now) {
                for part in fields.flatMap({ $0.split(separator: ".").dropFirst() }) where part.count > 4 {
                    #expect(!server.process.output.contains(part))
                }
            }
            let key = try SigningKey(.curve("P-256"))
            let path = key.folder + "/keys.json"
            try SigningKey.set(key.jwk("one")).write(toFile: path, atomically: true, encoding: .utf8)
            let other = try TestServer(
                World.sharedDatabase, environment: ["LUX_JWT_SECRET": "", "LUX_JWT_PUBLIC_KEY": path])
            let token = try key.access(user: 1, kid: "two")
            let reply = try other.call("GET", World.api + "get-all-device", token: token)
            #expect(reply.status == 401)
            #expect(try Self.line(reply, of: other)["cause"]?.string?.hasPrefix("token, kid") == true)
            other.stop()
        }
    }

    @Test func `the cause of a 404 names the nearest route and that of a 405 the methods, and no response does`() throws
    {
        let secret = "hidden\(Unique.number())"
        let cases: [(method: String, path: String, status: Int, cause: String)] = [
            (
                "GET", "\(World.api)child_device/?name=\(secret)", 404,
                "no such path; nearest is GET \(World.api)child-device"
            ),
            ("GET", "/\(secret)/\(secret)", 404, "no such path"),
            ("PUT", "\(World.api)devlog?name=\(secret)", 405, "the path has the methods POST"),
            ("DELETE", "\(World.api)get-all-device", 405, "the path has the methods GET, HEAD"),
        ]
        for (method, path, status, cause) in cases {
            let reply = try world.call(method, path)
            #expect(reply.status == status)
            #expect(reply.text == #"{"detail":"\#(status == 404 ? "Resource not found" : "Method not allowed")"}"#)
            #expect(try line(reply)["cause"]?.string == cause)
            #expect(!reply.headers.contains { $0.value.contains("child-device") })
        }
        #expect(!world.server.process.output.contains(secret))
    }

    @Test func `the configuration page explains every field, and no other`() throws {
        let readme = try String(contentsOfFile: Locations.package + "/docs/configuration.md", encoding: .utf8)
        let section = try #require(readme.range(of: "## Logs\n"))
        let end = readme.range(of: "\n#", range: section.upperBound..<readme.endIndex)?.lowerBound ?? readme.endIndex
        let rows = readme[section.upperBound..<end].split(separator: "\n").filter { $0.hasPrefix("| `") }
        let names = rows.flatMap { row in
            row.split(separator: "|").first.map { $0.matches(of: /`([a-z_]+)`/).map { String($0.output.1) } } ?? []
        }
        #expect(names.sorted() == LogField.allCases.map(\.rawValue).sorted())
    }

    @Test func `lines have the fields that there are, and no other`() throws {
        let known = Set(LogField.allCases.map(\.rawValue))
        #expect(try world.call("GET", "/healthz").status == 200)
        for line in world.server.process.outputLines.compactMap({ JSONValue($0) }) {
            #expect(Set(line.keys).isSubset(of: known), "\(line)")
            #expect(line.keys.prefix(3) == ["time", "level", "message"] && Set(line.keys).count == line.keys.count)
        }
    }

    @Test func `requests to the port for metrics have a line each`() async throws {
        try await onThread {
            let server = try TestServer(World.sharedDatabase, environment: ["LUX_METRICS_PORT": "0"])
            let lines = server.logLines { $0["message"]?.string == "metrics" }
            let port = try #require(lines.first?["port"]?.integer.flatMap { UInt16(exactly: $0) })
            let cases = [("GET /metrics", "200", nil), ("POST /metrics", "405", "the path has the methods GET, HEAD")]
            for (start, status, cause) in cases + [("GET /x", "404", "this port has /metrics alone")] {
                let client = try HTTPClient(port: port)
                try client.send("\(start) HTTP/1.1\r\nHost: h\r\n\r\n")
                let line = try Self.line(client.receive(), of: server)
                #expect(line.leaves.contains(status) && line["cause"]?.string == cause, "\(line)")
            }
            server.stop()
        }
    }
}
