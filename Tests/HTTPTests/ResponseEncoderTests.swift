import Testing

@testable import HTTP

@Suite struct ResponseEncoderTests {
    private func encode(
        _ status: HTTPStatus, _ fields: [(String, String)] = [], body: String = "", isHead: Bool = false,
        version: HTTPVersion = .http11, keepAlive: Bool = true, hint: [UInt8] = []
    ) -> String {
        var headers = HTTPHeaders()
        for (name, value) in fields { headers.add(name, value) }
        var bytes: [UInt8] = []
        ResponseEncoder.encode(
            HTTPResponse(status: status, headers: headers, body: Array(body.utf8)), isHead: isHead, version: version,
            keepAlive: keepAlive, hint: hint, date: Array("D".utf8), into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `writes status, fields in order, date, length and content`() {
        #expect(
            encode(.ok, [("B", "1"), ("A", "2")], body: "hé")
                == "HTTP/1.1 200 OK\r\nB: 1\r\nA: 2\r\nDate: D\r\nContent-Length: 3\r\n\r\nhé")
        #expect(encode(.notFound) == "HTTP/1.1 404 Not Found\r\nDate: D\r\nContent-Length: 0\r\n\r\n")
    }

    @Test func `omits the content of HEAD and states its length`() {
        #expect(
            encode(.ok, body: "12345", isHead: true) == "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\n\r\n")
    }

    @Test func `has no length in 204`() {
        #expect(encode(HTTPStatus(rawValue: 204)) == "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n")
    }

    @Test func `states whether the connection stays open`() {
        for (version, keepAlive, field) in [
            (HTTPVersion.http11, true, ""), (.http11, false, "Connection: close\r\n"),
            (.http10, true, "Connection: keep-alive\r\n"), (.http10, false, "Connection: close\r\n"),
        ] {
            let text = encode(.ok, version: version, keepAlive: keepAlive)
            #expect(text == "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\n\(field)\r\n")
        }
    }

    @Test func `hints at the idle time while the connection stays`() {
        let hint = ResponseEncoder.keepAliveHint(idleTime: .seconds(60))
        for version in [HTTPVersion.http11, .http10] {
            #expect(
                encode(.ok, version: version, hint: hint)
                    == "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\nConnection: keep-alive\r\n"
                    + "Keep-Alive: timeout=60\r\n\r\n")
            #expect(
                encode(.ok, version: version, keepAlive: false, hint: hint)
                    == "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        let short = ResponseEncoder.keepAliveHint(idleTime: .milliseconds(800))
        #expect(String(decoding: short, as: UTF8.self) == "\r\nConnection: keep-alive", "0 would mean not at all")
    }

    @Test func `lets no value end its field`() {
        #expect(encode(.ok, [("A", "b\r\nSet-Cookie: x\u{0}y")]).contains("A: b  Set-Cookie: x y\r\nDate"))
    }
}

@Suite struct RouterTests {
    private let router = Router<Int>([(.get, "/a", 1), (.post, "/a", 2), (.patch, "/b", 3)])

    private func match(_ method: HTTPMethod, _ path: String) -> String {
        switch router.match(method: method, path: path) {
        case .found(let route, let pattern): "\(route) \(pattern)"
        case .methodNotAllowed(let allow, let pattern): "405 \(pattern) \(allow.map(\.rawValue).joined(separator: ","))"
        case .notFound: "404"
        }
    }

    @Test func `finds the route of method and path, of GET for HEAD`() {
        for (method, path, wanted) in [
            (HTTPMethod.get, "/a", "1 /a"), (.head, "/a", "1 /a"), (.post, "/a", "2 /a"), (.patch, "/b", "3 /b"),
            (.get, "/b", "405 /b PATCH"), (.head, "/b", "405 /b PATCH"), (.patch, "/a", "405 /a GET,HEAD,POST"),
            (.options, "/a", "405 /a GET,HEAD,POST"), (HTTPMethod(rawValue: "get"), "/a", "405 /a GET,HEAD,POST"),
            (.get, "/", "404"), (.get, "/a/", "404"), (.get, "/A", "404"), (.get, "*", "404"), (.get, "/x/../a", "404"),
        ] {
            #expect(match(method, path) == wanted)
        }
    }
}

@Suite struct HTTPQueryTests {
    @Test func `decodes names and values, keeps order and duplicates`() throws {
        let query = try #require(HTTPQuery(Array("a=1&b=%2B+%26&a=2&c&=d&&e=f=g&%61=3".utf8)))
        #expect(query.values("a") == ["1", "2", "3"])
        #expect(query.values("b") == ["+ &"])
        #expect(query.values("c") == [""])
        #expect(query.values("e") == ["f=g"])
        #expect(query.values("") == ["d"])
        #expect(query.values("x").isEmpty)
        #expect(query.items.map(\.name) == ["a", "b", "a", "c", "", "e", "a"])
    }

    @Test func `rejects bad escapes and invalid UTF-8`() {
        for text in ["a=%", "a=%1", "a=%g1", "%=1", "a=%FF", "a=%C0%80", "a=%ED%A0%80", "a=%F4%90%80%80"] {
            #expect(HTTPQuery(Array(text.utf8)) == nil, "\(text)")
        }
        #expect(HTTPQuery(Array("a=%00".utf8))?.values("a") == ["\u{0}"])
    }
}
