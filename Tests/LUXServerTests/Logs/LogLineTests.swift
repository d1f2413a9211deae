import Foundation
import LUXTestSupport
import Testing

/// The log: one JSON line for each request, and no secret in it.
@Suite struct LogLineTests {
    let world: World

    init() throws { world = try World() }

    private func check(_ reply: HTTPReply, _ wanted: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        let lines = world.server.logLines(request: reply.requestID ?? "?")
        #expect(lines.count == 1, "\(reply.summary)", sourceLocation: sourceLocation)
        for line in lines {
            for value in wanted + [String(reply.status)] {
                #expect(line.leaves.contains(value), "\(value) in \(line)", sourceLocation: sourceLocation)
            }
            let duration = line.keys.first { $0.lowercased().contains("duration") }.flatMap { line[$0] }
            guard case .number(let text)? = duration, let milliseconds = Double(text) else {
                Issue.record("no duration in \(line)", sourceLocation: sourceLocation)
                continue
            }
            #expect((0...60_000).contains(milliseconds), sourceLocation: sourceLocation)
        }
    }

    @Test func `writes request id, method, route, status, duration and user of a request`() throws {
        let (user, child, device) = try world.family()
        let api = World.api
        check(
            try world.call("GET", "child-device?real_user_id=\(child)", as: user),
            ["GET", api + "child-device", String(user)])
        check(
            try world.call("POST", "set-my-device?serial_code=1", as: user),
            ["POST", api + "set-my-device", String(user)])
        check(
            try world.call("GET", "check-device?unique_id=\(device.unique)-x", as: user),
            ["GET", api + "check-device", String(user)])
        check(try world.call("PUT", "devlog"), ["PUT", api + "devlog"])
        check(try world.call("GET", "get-all-device"), ["GET", api + "get-all-device"])
        check(try world.call("HEAD", "get-all-device", as: user), ["HEAD", api + "get-all-device", String(user)])
        check(
            try world.call("GET", "get-all-device", as: user, headers: [("X-Request-ID", "own.id_\(user)")]),
            ["own.id_\(user)"])
    }

    @Test func `a client that leaves while its request waits is 499, and no error of the server`() async throws {
        try await onThread {
            let world = try World.own()
            let (user, child, device) = try world.family()
            try world.sql.script("begin; select * from devices where id = \(device.id) for update")
            let id = "gone-\(Unique.number())"
            let client = try world.server.connect()
            let body = World.logArrays([World.record(child: child, device: device, date: "2025-02-21T15:48:49")])
            try client.send(
                TestServer.request(
                    "POST", World.api + "devlog", token: Token.access(user: user), headers: [("X-Request-ID", id)],
                    body: body))
            var isInFlight = false
            for _ in 0..<200 where !isInFlight {
                usleep(10_000)
                isInFlight = try world.server.call("GET", "/metrics").text.contains("\nlux_http_requests_in_flight 1")
            }
            #expect(isInFlight)
            client.abort()
            client.end()
            usleep(300_000)
            try world.sql.script("rollback")
            let line = try #require(world.server.logLines(request: id).first)
            #expect(line["status"]?.integer == 499)
            #expect(line["level"]?.string != "error", "\(line)")
            let metrics = try world.server.call("GET", "/metrics").text
            let lines = metrics.split(separator: "\n").filter { $0.hasPrefix("lux_http_requests_total{") }
            #expect(lines.contains { $0.contains("status=\"499\"") && $0.hasSuffix(" 1") })
            #expect(!lines.contains { $0.contains("status=\"5") && !$0.hasSuffix(" 0") }, "\(lines)")
            world.server.stop()
        }
    }

    @Test func `writes the id of a request that has no route or is malformed`() throws {
        check(try world.call("GET", "/secret-path-\(Unique.number())"), ["GET"])
        let reply = try world.server.call("GET", "/healthz", headers: [("Bad Name", "x")])
        #expect(world.server.logLines(request: reply.requestID ?? "?").count == 1)
    }

    @Test func `writes no method that nobody defines, and blames the server for none of it`() throws {
        for (start, status) in [
            ("hidden-\(Unique.number()) /healthz HTTP/1.1", 405), ("GET /healthz HTTP/3.0", 505),
            (String(repeating: "hidden", count: 100) + " /healthz HTTP/1.1", 501),
        ] {
            let client = try world.server.connect()
            let id = "method-\(Unique.number())"
            try client.send("\(start)\r\nHost: h\r\nX-Request-ID: \(id)\r\n\r\n")
            let reply = try client.receive()
            #expect(reply.status == status)
            let lines = world.server.logLines(request: reply.requestID ?? id)
            #expect(lines.count == 1 && lines.first?["level"]?.string == "info", "\(lines)")
            #expect(!lines.contains { $0.leaves.contains { $0.contains("hidden") } }, "\(lines)")
        }
    }

    @Test func `writes no token, no parameter and no body`() throws {
        let (user, child, device) = try world.family()
        let token = Token.access(user: user)
        let alias = "alias-\(Unique.number())-hidden"
        let body = #"{"device_id":\#(device.id),"real_user_id":\#(child),"device_alias":"\#(alias)"}"#
        let replies = [
            try world.call("PATCH", "update-alias", headers: [("Authorization", "Bearer \(token)")], body: body),
            try world.call("GET", "check-device?unique_id=hidden-unique-\(user)&token=\(token)", as: user),
            try world.call("GET", "get-all-device", headers: [("Authorization", "Bearer \(token)x")]),
            try world.call("POST", "devlog", as: user, body: "{\"\(alias)\": broken"),
            try world.call("GET", "/\(alias)"),
        ]
        for reply in replies { #expect(!world.server.logLines(request: reply.requestID ?? "?").isEmpty) }
        let everything = world.server.process.output + world.server.process.errors
        let signature = token.split(separator: ".").last.map(String.init) ?? "?"
        for secret in [signature, "hidden-unique-\(user)", Token.secret] {
            #expect(!everything.contains(secret), "\(secret)")
        }
        #expect(!everything.contains(": broken"))
    }

    @Test func `writes only JSON lines, all with a time, a level and a message`() throws {
        #expect(try world.call("GET", "/healthz").status == 200)
        for line in world.server.process.outputLines {
            let value = JSONValue(line)
            #expect(value?["message"]?.string != nil && value?["level"]?.string != nil, "\(line)")
            #expect(value?.keys.contains { ["time", "timestamp"].contains($0) } ?? false, "\(line)")
        }
    }
}
