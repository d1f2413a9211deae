import LUXTestSupport
import Testing

/// HTTP/1.1 on the wire: requests and their responses.
@Suite struct HTTPWireTests {
    let server = World.sharedServer

    private static let plain = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test func `serves many requests on one connection`() throws {
        let client = try server.connect()
        for _ in 0..<50 {
            try client.send(Self.plain)
            let reply = try client.receive()
            #expect(reply.status == 200 && reply.version == "HTTP/1.1" && reply.reason == "OK")
            #expect(reply.header("Connection")?.lowercased() != "close")
            #expect(reply.header("Date")?.hasSuffix(" GMT") ?? false)
            #expect(reply.values("Content-Length") == [String(reply.body.count)])
        }
    }

    @Test(arguments: [40, 100]) func `responds to pipelined requests in order`(count: Int) throws {
        let world = try World()
        let user = try world.user()
        let children = try (0..<count).map { _ in try world.child(of: user) }
        let devices = try children.map { try world.device(of: $0) }
        let token = Token.access(user: user)
        let requests = children.enumerated().map { place, child in
            place % 7 == 3
                ? TestServer.request("GET", "/none", headers: [("X-Request-ID", "r\(place)")])
                : TestServer.request(
                    "GET", "\(World.api)child-device?real_user_id=\(child)", token: token,
                    headers: [("X-Request-ID", "r\(place)")])
        }
        let client = try server.connect()
        try client.send(requests.joined())
        for place in 0..<count {
            let reply = try client.receive()
            #expect(reply.requestID == "r\(place)")
            if place % 7 == 3 {
                #expect(reply.status == 404)
            } else {
                #expect(reply.json?["id"]?.integer == devices[place].id, "\(place): \(reply.summary)")
            }
        }
    }

    @Test func `responds to pipelined writes and reads of one device in order`() throws {
        let world = try World()
        let (user, child, device) = try world.family()
        let token = Token.access(user: user)
        let names = (0..<20).map { "alias \($0)" }
        let requests = names.map { name in
            TestServer.request(
                "PATCH", World.api + "update-alias", token: token,
                body: #"{"device_id":\#(device.id),"real_user_id":\#(child),"device_alias":"\#(name)"}"#)
        }
        let client = try server.connect()
        try client.send(requests.joined())
        for name in names {
            let reply = try client.receive()
            #expect(reply.json?["device_alias"]?.string == name, "\(reply.summary)")
        }
        #expect(
            try world.sql.value("select device_alias from devices where id = $1", [String(device.id)]) == names.last)
    }

    @Test func `keeps or closes the connection as version and Connection field require`() throws {
        let cases: [(head: String, closed: Bool)] = [
            ("HTTP/1.1\r\nHost: h\r\n", false),
            ("HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", true),
            ("HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n", true),
            ("HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n", false),
            ("HTTP/1.0\r\n", true), ("HTTP/1.0\r\nHost: h\r\n", true),
            ("HTTP/1.0\r\nConnection: keep-alive\r\n", false),
            ("HTTP/1.0\r\nConnection: Keep-Alive, close\r\n", true),
        ]
        for (head, closed) in cases {
            let client = try server.connect(timeout: 5)
            try client.send("GET /healthz " + head + "\r\n")
            let reply = try client.receive()
            #expect(reply.status == 200, "\(head)")
            #expect(
                (reply.header("Connection")?.lowercased() == "close") == closed || head.hasPrefix("HTTP/1.0"), "\(head)"
            )
            if closed {
                #expect(try client.isEnded(), "\(head)")
            } else {
                try client.send(Self.plain)
                #expect(try client.receive().status == 200, "\(head)")
            }
        }
    }

    @Test func `reads a chunked body`() throws {
        let world = try World()
        let (user, child, device) = try world.family()
        let head =
            "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(Token.access(user: user))\r\n"
        let body = World.logArrays([World.record(child: child, device: device, date: "2025-02-21T15:48:49")])
        for (size, extensions, trailers) in [(1, "", ""), (7, ";x=y", ""), (4096, ";a=\"b;c\"", "X-Sum: 1\r\n")] {
            var chunks = ""
            var rest = Substring(body)
            while !rest.isEmpty {
                let chunk = rest.prefix(size)
                chunks += String(chunk.utf8.count, radix: 16) + extensions + "\r\n" + chunk + "\r\n"
                rest = rest.dropFirst(size)
            }
            let client = try server.connect()
            try client.send(
                head + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n" + trailers + "\r\n" + Self.plain)
            expect(try client.receive(), json: Saved.temporary, "chunks of \(size)")
            #expect(try client.receive().status == 200, "the next request on the connection")
        }
    }

    @Test func `sends 100 Continue when the client expects it, and only then`() throws {
        let world = try World()
        let (user, child, device) = try world.family()
        let body = World.logArrays([World.record(child: child, device: device, date: "2025-02-21T15:48:49")])
        let head =
            "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(Token.access(user: user))\r\n"
            + "Content-Length: \(body.utf8.count)\r\nExpect: 100-continue\r\n\r\n"
        let client = try server.connect(timeout: 5)
        try client.send(head)
        #expect(try client.receive(skippingInterim: false).status == 100)
        try client.send(body)
        expect(try client.receive(skippingInterim: false), json: Saved.temporary)

        try client.send("GET /healthz HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n")
        #expect(try client.receive(skippingInterim: false).status == 200, "a request without a body")
        let old = try server.connect(timeout: 5)
        try old.send(head.replacing("HTTP/1.1", with: "HTTP/1.0") + body)
        #expect(try old.receive(skippingInterim: false).status == 200, "HTTP/1.0 knows no 100")
    }

    @Test func `responds to a client that has closed its sending side`() throws {
        let client = try server.connect(timeout: 5)
        try client.send(Self.plain + Self.plain)
        client.closeWrite()
        #expect(try client.receive().status == 200)
        #expect(try client.receive().status == 200)
        #expect(try client.isEnded())
        let world = try World()
        let user = try world.user()
        let api = try server.connect(timeout: 5)
        try api.send(TestServer.request("GET", World.api + "get-all-device", token: Token.access(user: user)))
        api.closeWrite()
        expect(try api.receive(), json: "[]")
        #expect(try api.isEnded())
    }

    @Test func `reads a request that arrives byte by byte, and one after empty lines`() throws {
        let client = try server.connect()
        for byte in Self.plain.utf8 { try client.send([byte]) }
        #expect(try client.receive().status == 200)
        try client.send("\r\n\r\n" + Self.plain)
        #expect(try client.receive().status == 200)
        try client.send("GET http://h/healthz HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try client.receive().status == 200, "absolute form")
    }
}
