import LUXTestSupport
import Testing

/// X-Request-ID
@Suite struct RequestIdentifierTests {
    let world: World

    init() throws { world = try World() }

    private static func isWellFormed(_ id: String) -> Bool {
        (1...128).contains(id.utf8.count)
            && id.unicodeScalars.allSatisfy {
                ("A"..."Z").contains($0) || ("a"..."z").contains($0) || ("0"..."9").contains($0)
                    || "._-".unicodeScalars.contains($0)
            }
    }

    @Test func `returns the client's own id`() throws {
        let ids = [
            "a", "-", ".", "_", "Az09._-", String(repeating: "x", count: 128), "7f3b0c52-2d3a-4f7e-9d53-0c8ef1d0a4aa",
        ]
        for id in ids {
            #expect(try world.call("GET", "/healthz", headers: [("X-Request-ID", id)]).values("x-request-id") == [id])
            #expect(try world.call("GET", "/none", headers: [("x-request-id", id)]).values("x-request-id") == [id])
        }
    }

    @Test func `returns it with the rejection of a request that was not handled`() throws {
        let rejected: [(headers: [(String, String)], status: Int)] = [
            ([("Content-Length", "2000000")], 413), ([("Transfer-Encoding", "gzip")], 501),
            ([("Content-Length", "+1")], 400), ([("Expect", "more")], 417),
        ]
        for (headers, status) in rejected {
            let reply = try world.server.call("POST", "/healthz", headers: headers + [("X-Request-ID", "its-own")])
            #expect(reply.status == status)
            #expect(reply.values("x-request-id") == ["its-own"], "\(headers)")
        }
    }

    @Test func `creates a new id when the client has none or a bad one`() throws {
        let bad = ["", " ", "a b", "a,b", "a/b", "a\"b", "é", "{}", "%41", "a\tb", String(repeating: "x", count: 129)]
        var seen: Set<String> = []
        for headers in [[]] + bad.map({ [("X-Request-ID", $0)] }) {
            for _ in 0..<2 {
                let ids = try world.call("GET", "/healthz", headers: headers).values("X-Request-ID")
                #expect(ids.count == 1)
                let id = ids.first ?? ""
                #expect(Self.isWellFormed(id), "\(headers) → \(id)")
                #expect(seen.insert(id).inserted, "an id of its own for each request")
            }
        }
    }

    @Test func `is on every response`() throws {
        let (user, child, device) = try world.family()
        let upload = World.logArrays([World.record(child: child, device: device, date: "2025-02-14T15:48:49")])
        let token = Token.access(user: user)
        let replies = [
            try world.call("GET", "get-all-device", as: user), try world.call("GET", "get-all-device"),
            try world.call("HEAD", "get-all-device", as: user), try world.call("PUT", "devlog"),
            try world.call("POST", "devlog", as: user, body: upload),
            try world.call("POST", "devlog", as: user, body: "{"),
            try world.call("GET", "child-device?real_user_id=\(absentID)", as: user), try world.call("GET", "/readyz"),
            try world.server.call("GET", World.api + "check-device?unique_id=%zz", token: token),
            try world.server.call("GET", "/healthz", headers: [("Bad Name", "x")]),
            try world.server.call("GET", "/" + String(repeating: "x", count: 9000)),
            try world.server.call("GET", "/healthz", headers: [("X", String(repeating: "x", count: 20000))]),
            try world.server.call("POST", "/healthz", headers: [("Content-Length", "2000000")]),
        ]
        for reply in replies {
            #expect(Self.isWellFormed(reply.requestID ?? ""), "\(reply.summary)")
            #expect(reply.values("cache-control") == ["no-store"])
            #expect(reply.values("x-content-type-options") == ["nosniff"])
        }
    }
}
