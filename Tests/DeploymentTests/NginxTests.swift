import Foundation
import Glibc
import LUXTestSupport
import Testing

/// deploy/nginx.conf: nginx in front of the server.
@Suite(.requires("nginx")) struct NginxTests {
    private static let identifier = "X-Request-ID"

    private static let hasHTTPX = (try? Tool("python3", ["-c", "import httpx, h2"]).isDone) ?? false

    /// POSTs a body and prints version, status, request id and body of the response. Arguments: version, URL, size, token, id.
    private static let httpx = """
        import httpx, sys
        version, url, size, token, identifier = sys.argv[1:]
        with httpx.Client(http2=version == "HTTP/2", verify=False, timeout=30) as client:
            response = client.post(
                url, content=b" " * int(size), headers={"Authorization": "Bearer " + token, "X-Request-ID": identifier})
        print(response.http_version, response.status_code, response.headers["X-Request-ID"], response.text)
        """

    @Test func `forwards requests and responses unchanged`() async throws {
        try await onThread {
            let world = try World()
            let proxy = try NginxProxy(before: [world.server.port])
            let user = try world.user(phone: "+821012345678")
            let child = try world.child(of: user)
            let device = try world.device(serial: "SN-1", mac: "41AD")
            let alias = #"{"device_id":\#(device.id),"real_user_id":\#(child),"device_alias":"Bedroom"}"#
            let record = World.record(child: child, device: device, date: "2025-02-21T15:48:49")
            let set = "set-my-device?serial_code=SN-1&mac_id=41AD&unique_id=\(device.unique)&real_user_id=\(child)"
            for (method, target, body, text) in [
                ("POST", set, nil, #"{"statuscode":200,"message":"device connected"}"#),
                ("GET", "child-device?real_user_id=\(child)", nil, device.unique),
                ("GET", "get-all-device", nil, "Jisoo"),
                ("GET", "check-device?unique_id=\(device.unique)", nil, "Connection Confirmed"),
                ("PATCH", "update-alias", alias, "Bedroom"),
                ("POST", "devlog", World.logArrays([record]), "Temp devlog saved successfully"),
                ("POST", "alimtalk", nil, "null"),
                ("PATCH", "un-connect?unique_id=\(device.unique)&real_user_id=\(child)", nil, "device unconnected"),
            ] as [(String, String, String?, String)] {
                let reply = try proxy.call(method, World.api + target, user: user, body: body)
                #expect(reply.status == 200 && reply.text.contains(text), "\(target): \(reply.summary)")
                #expect(reply.values("Strict-Transport-Security") == ["max-age=31536000"])
            }
            let rejected = try proxy.call("GET", World.api + "get-all-device")
            #expect(rejected.status == 401 && rejected.header("WWW-Authenticate") == "Bearer", "\(rejected.summary)")
            for (target, status) in [("/healthz", 200), ("/readyz", 200), ("/openapi.json", 200), ("/nowhere", 404)] {
                let (there, here) = (try proxy.call("GET", target), try world.server.call("GET", target))
                #expect(there.status == status && there.body == here.body, "\(target): \(there.status)")
            }
            let http2 = try Tool("curl", ["-sk", "-w", "%{http_version}", "https://127.0.0.1:\(proxy.port)/healthz"])
            #expect(http2.output.hasSuffix("2"), "\(http2.everything)")
            let plain = try HTTPClient(port: proxy.plainPort)
            try plain.send("GET /healthz?a=b HTTP/1.1\r\nHost: lux.example\r\n\r\n")
            let redirect = try plain.receive()
            #expect(redirect.status == 308 && redirect.header("Location") == "https://lux.example/healthz?a=b")
        }
    }

    @Test func `serves certbot's challenges over plain HTTP, and nothing else`() throws {
        let proxy = try NginxProxy(before: [TestCluster.freePort()])
        let challenges = proxy.folder + "/acme/.well-known/acme-challenge"
        try FileManager.default.createDirectory(atPath: challenges, withIntermediateDirectories: true)
        try "token.thumbprint".write(toFile: challenges + "/token", atomically: true, encoding: .utf8)
        try "secret".write(toFile: proxy.folder + "/acme/secret", atomically: true, encoding: .utf8)
        for (target, status) in [
            ("token", 200), ("other", 404), ("../../secret", 308), ("%2e%2e/%2e%2e/secret", 308),
        ] {
            let client = try HTTPClient(port: proxy.plainPort)
            try client.send("GET /.well-known/acme-challenge/\(target) HTTP/1.1\r\nHost: lux.example\r\n\r\n")
            let reply = try client.receive()
            #expect(reply.status == status, "\(target): \(reply.summary)")
            #expect(status != 200 || reply.text == "token.thumbprint")
        }
        let root = "/var/www/lux-acme"
        #expect(try DeploymentFile.text("deploy/nginx.conf").contains("root \(root);"))
        let commands = try OperationsPage.block(containing: "certbot certonly --webroot")
        #expect(commands.contains("install -d -m 755 \(root)\n") && commands.contains("--webroot -w \(root) "))
    }

    /// 90 days are enough, 10 are not.
    @Test func `the page's command fails when the certificate of nginx ends soon`() throws {
        let command = try OperationsPage.block(containing: "-checkend")
        for (days, status) in [(90, 0), (10, 1)] {
            let proxy = try NginxProxy(before: [TestCluster.freePort()], certificate: TestCertificate(days: days))
            let here = command.replacing("lux.example:443", with: "127.0.0.1:\(proxy.port)")
            #expect(here != command)
            let run = try Tool("sh", ["-c", here])
            #expect(run.ending == .exit(Int32(status)), "\(days) days: \(run.everything)")
        }
    }

    @Test func `request, response and both logs have one id`() async throws {
        try await onThread {
            let world = try World()
            let proxy = try NginxProxy(before: [world.server.port])
            let sent = "phone-\(Unique.number())"
            let target = World.api + "child-device?real_user_id=1&secret=x"
            let named = try proxy.call("GET", target, headers: [(Self.identifier, sent)])
            let unnamed = try proxy.call("GET", target)
            #expect(named.values(Self.identifier) == [sent])
            let created = try #require(unnamed.header(Self.identifier))
            let deadline = Date(timeIntervalSinceNow: 15)
            while Date() < deadline, !proxy.log.contains(created) { usleep(20_000) }
            for id in [sent, created] {
                #expect(world.server.logLines(request: id).count == 1, "\(id)")
                #expect(proxy.log.contains(" \(id)\n"), "\(proxy.log)")
            }
            for path in ["/callbacks/alimtalk/nhn/secret-4711", "//callbacks//alimtalk/nhn/secret-4711/"] {
                let hook = try #require(try proxy.call("POST", path).header(Self.identifier))
                #expect(proxy.waitsForLog("alimtalk/nhn/-\" 404 ", hook), "\(proxy.log)")
            }
            #expect(!proxy.log.contains("secret"))
        }
    }

    @Test func `forwards pipelined requests, interim responses, chunks and uploads of a megabyte`() async throws {
        try await onThread {
            let world = try World()
            let (user, child, device) = try world.family()
            let proxy = try NginxProxy(before: [world.server.port])
            let client = try proxy.connect()
            let token = Token.access(user: user)
            let get = TestServer.request("GET", World.api + "get-all-device", token: token)
            try client.send(String(repeating: get, count: 20))
            for _ in 0..<20 { #expect(try client.receive().status == 200) }

            func upload(_ records: Int, filling bytes: Int = 0) -> String {
                World.logArrays(
                    (0..<records).map { index in
                        World.record(
                            child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: Int64(index + 1),
                            more: #","filling":"\#(String(repeating: "x", count: bytes / max(1, records)))""#)
                    })
            }
            let body = upload(2)
            let head = "POST \(World.api)devlog HTTP/1.1\r\nHost: lux.test\r\nAuthorization: Bearer \(token)\r\n"
            try client.send(head + "Expect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
            #expect(try client.receive(skippingInterim: false).status == 100)
            try client.send(body)
            #expect(try client.receive().status == 200)
            try client.send(head + "Transfer-Encoding: chunked\r\n\r\n")
            for piece in [body.prefix(7), body.dropFirst(7)] {
                try client.send(String(piece.utf8.count, radix: 16) + "\r\n\(piece)\r\n")
            }
            try client.send("0\r\n\r\n")
            #expect(try client.receive().status == 200)

            let limit = 1_048_576
            let large = upload(3_000, filling: limit - upload(3_000).utf8.count - 3_000)
            #expect(large.utf8.count > limit - 10_000 && large.utf8.count <= limit)
            try client.send(head + "Content-Length: \(large.utf8.count)\r\n\r\n" + large)
            #expect(try client.receive().status == 200)
            #expect(try world.logs(of: device).count == 3_000)

            let padding = { (size: Int) in String(repeating: " ", count: size - body.utf8.count) + body }
            #expect(try proxy.call("POST", World.api + "devlog", user: user, body: padding(limit)).status == 200)
        }
    }

    @Test func `bodies over 1 MiB are rejected by the server, once they were sent, by any version of HTTP`()
        async throws
    {
        try await onThread {
            let world = try World()
            let proxy = try NginxProxy(before: [world.server.port])
            let (user, _, _) = try world.family()
            let file = proxy.folder + "/body"
            let direct = try world.server.connect()
            try direct.send(
                "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(Token.access(user: user))\r\n"
                    + "Content-Length: 1048577\r\n\r\n")
            let expected = try direct.receive()
            for (size, version) in [(1_048_577, "--http1.1"), (1_048_577, "--http2"), (16 << 20, "--http2")] {
                try String(repeating: " ", count: size).write(toFile: file, atomically: true, encoding: .utf8)
                let id = "large-\(Unique.number())"
                let run = try Tool(
                    "curl",
                    [
                        "-skv", version, "-H", "Authorization: Bearer \(Token.access(user: user))", "-H",
                        "X-Request-ID: \(id)", "-H", "Expect:", "--data-binary", "@\(file)", "-w",
                        " %{http_code} %{size_upload}",
                        "https://127.0.0.1:\(proxy.port)\(World.api)devlog",
                    ])
                #expect(run.isDone && run.output == "\(expected.text) 413 \(size)", "\(run.output)")
                #expect(run.errors.lowercased().contains("x-request-id: \(id)"))
                #expect(world.server.logLines(request: id).first?["status"]?.integer == 413)
            }
            for (size, version) in [(1_048_577, "HTTP/1.1"), (16 << 20, "HTTP/2")] where Self.hasHTTPX {
                let id = "httpx-\(Unique.number())"
                let run = try Tool(
                    "python3",
                    [
                        "-c", Self.httpx, version, "https://127.0.0.1:\(proxy.port)\(World.api)devlog", "\(size)",
                        Token.access(user: user), id,
                    ])
                #expect(run.isDone && run.output == "\(version) 413 \(id) \(expected.text)\n", "\(run.everything)")
                #expect(world.server.logLines(request: id).first?["status"]?.integer == 413)
            }
            try String(repeating: " ", count: (16 << 20) + 1).write(toFile: file, atomically: true, encoding: .utf8)
            let id = "nginx-\(Unique.number())"
            let run = try Tool(
                "curl",
                [
                    "-sk", "-H", "X-Request-ID: \(id)", "--data-binary", "@\(file)",
                    "https://127.0.0.1:\(proxy.port)/x?secret",
                ])
            #expect(run.output == #"{"detail":"Content Too Large"}"#, "\(run.everything)")
            #expect(proxy.waitsForLog(#" "POST /x" 413 "#, id), "\(proxy.log)")
        }
    }

    @Test func `stores the concurrent uploads of many clients once each`() async throws {
        try await onThread {
            let world = try World()
            let proxy = try NginxProxy(before: [world.server.port])
            let families = try (0..<48).map { _ in try world.family() }
            let port = proxy.port
            let statuses = try simultaneously(families.count) { index in
                let (user, child, device) = families[index]
                let client = try HTTPClient(port: port, timeout: 30, offer: TLSClient.Offer())
                return try (1...5).map { file -> Int in
                    let record = World.record(
                        child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: Int64(file))
                    try client.send(
                        TestServer.request(
                            "POST", World.api + "devlog", token: Token.access(user: user),
                            body: World.logArrays([record])))
                    return try client.receive().status
                }
            }
            #expect(statuses.allSatisfy { $0 == [200, 200, 200, 200, 200] })
            for (_, _, device) in families { #expect(try world.logs(of: device).count == 5) }
        }
    }

    @Test func `does not serve metrics, however the path is written`() throws {
        let server = World.sharedServer
        let proxy = try NginxProxy(before: [server.port])
        #expect(try server.call("GET", "/metrics").status == 200)
        for target in ["/metrics", "/metrics?x", "/%6Detrics", "/a/../metrics", "//metrics", "/metrics/"] {
            let reply = try proxy.call("GET", target)
            #expect(reply.status == 404 && reply.detail == "Resource not found", "\(target): \(reply.summary)")
        }
    }

    @Test func `never retries a POST or PATCH, and responds with 503 when the server does not respond`() async throws {
        try await onThread {
            for (method, times) in [("POST", 1), ("PATCH", 1), ("GET", 2)] {
                let servers = try (0..<2).map { _ in try FakeProvider(.resetAfter) }
                let proxy = try NginxProxy(before: servers.map(\.port))
                let reply = try proxy.call(method, World.api + "update-alias", body: method == "GET" ? nil : "{}")
                #expect(reply.status == 503 && reply.detail == "Service temporarily unavailable", "\(reply.summary)")
                #expect(reply.header("Retry-After") == "1")
                #expect(servers.map(\.requests.count).reduce(0, +) == times, "\(method)")
            }
            let nobody = try NginxProxy(before: [TestCluster.freePort()])
            let reply = try nobody.call("POST", World.api + "devlog", body: "{}")
            #expect(reply.status == 503 && reply.detail == "Service temporarily unavailable", "\(reply.summary)")
        }
    }

    /// Each is sent to nginx as written here, and nginx alone responds.
    @Test func `nginx's own errors are JSON with an X-Request-ID that is in its log`() throws {
        let proxy = try NginxProxy(before: [TestCluster.freePort()])
        let host = "Host: lux.example\r\n"
        for (request, status, detail) in [
            ("GET / HTTP/1.1\r\n\r\n", 400, "Bad Request"),
            ("GET / HTTP/1.1\r\n\(host)Content-Length: x\r\n\r\n", 400, "Bad Request"),
            ("TRACE / HTTP/1.1\r\n\(host)\r\n", 405, "Method Not Allowed"),
            ("CONNECT lux.example:443 HTTP/1.1\r\n\(host)\r\n", 400, "Bad Request"),
            ("GET /.error/503 HTTP/1.1\r\n\(host)\r\n", 404, "Resource not found"),
            ("GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\n\(host)\r\n", 414, "URI Too Long"),
            (
                "GET / HTTP/1.1\r\n\(host)X: \(String(repeating: "x", count: 20_000))\r\n\r\n", 431,
                "Request Header Fields Too Large"
            ),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip\r\n\r\n", 501, "Not Implemented"),
            ("GET / HTTP/3.0\r\n\(host)\r\n", 505, "HTTP Version Not Supported"),
            ("GET / HTTP/1.1\r\n\(host)\r\n", 503, "Service temporarily unavailable"),
        ] {
            let client = try proxy.connect()
            try client.send(request)
            let reply = try client.receive()
            let name = "\(request.prefix(40).debugDescription): \(reply.summary)"
            #expect(reply.status == status && reply.detail == detail, "\(name)")
            #expect(reply.values("Content-Type") == ["application/json"], "\(name)")
            #expect(reply.values("Strict-Transport-Security").count == 1, "\(name)")
            let ids = reply.values(Self.identifier)
            let id = try #require(ids.count == 1 && ids[0].count == 32 ? ids[0] : nil, "\(name)")
            let line = try #require(request.firstMatch(of: #/^([A-Z]+ [^ ]*) /#)).output.1
            let logged = line.utf8.count > 10_000 ? "" : #""\#(line)""#
            #expect(proxy.waitsForLog("\(logged) \(status) ", id), "\(name): \(proxy.log)")
        }
        let named = try proxy.call("GET", "/", headers: [(Self.identifier, "phone-7")])
        #expect(named.status == 503 && named.values(Self.identifier) == ["phone-7"], "\(named.summary)")
        #expect(proxy.waitsForLog(" 503 ", "phone-7"))
        let plain = try HTTPClient(port: proxy.port)
        try plain.send("GET / HTTP/1.1\r\n\(host)\r\n")
        let reply = try plain.receive()
        #expect(reply.status == 400 && reply.detail == "Bad Request", "\(reply.summary)")
    }
}
