import LUXTestSupport
import Testing

/// The access token: every way to have none.
@Suite struct AuthenticationTests {
    let world: World
    let user: Int64

    init() throws {
        world = try World()
        user = try world.user()
    }

    private func get(_ fields: [String], of server: TestServer? = nil) throws -> HTTPReply {
        let client = try (server ?? world.server).connect()
        let lines = (["GET \(World.api)get-all-device HTTP/1.1", "Host: h"] + fields).joined(separator: "\r\n")
        try client.send(lines + "\r\n\r\n")
        return try client.receive()
    }

    private func get(token: String, of server: TestServer? = nil) throws -> HTTPReply {
        try get(["Authorization: Bearer \(token)"], of: server)
    }

    private func claims(_ more: String = "", exp: String? = nil) -> String {
        let exp = exp ?? String(Token.now + 60)
        return #"{"sub":"\#(user)","exp":\#(exp)\#(more)}"#
    }

    @Test func `reads the scheme without case and a user id as string or number`() throws {
        let token = Token.access(user: user)
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            expect(try get(["Authorization: \(scheme) \(token)"]), json: "[]", scheme)
        }
        expect(try get(["authorization: Bearer \(token)"]), json: "[]", "field name without case")
        let number = #"{"sub":\#(user),"exp":\#(Token.now + 60),"x":{"y":[1,null]}}"#
        expect(try get(token: Token.make(number)), json: "[]", "a number")
        expect(try get(token: Token.make(claims(#","nbf":\#(Token.now - 5),"iat":1"#))), json: "[]", "nbf past")
        expect(try get(token: Token.make(claims(#","iss":"x","aud":"y""#))), json: "[]", "issuer not configured")
    }

    @Test func `rejects a missing or malformed Authorization field`() throws {
        let token = Token.access(user: user)
        let cases: [[String]] = [
            [], ["Authorization:"], ["Authorization: Bearer"], ["Authorization: Bearer "], ["Authorization: \(token)"],
            ["Authorization: Basic \(token)"], ["Authorization: Bearer\(token)"],
            ["Authorization: Bearer \(token) x"], ["Authorization: Bearer \(token), Bearer \(token)"],
            ["Authorization: Bearer \(token)", "Authorization: Bearer \(token)"],
            ["Authorization: Bearer \(token)", "authorization: Basic x"],
            ["Authorization: Bearer \"\(token)\""], ["X-Authorization: Bearer \(token)"],
            ["Authorization: Bearer token=\(token)"], ["Authorization: Bearer " + String(repeating: "a", count: 8000)],
        ]
        for fields in cases {
            expect(try get(fields), 401, "Could not validate credentials", fields.joined(separator: " / "))
        }
    }

    @Test func `rejects a token that is malformed or signed in another way`() throws {
        let good = Token.access(user: user)
        let parts = good.split(separator: ".").map(String.init)
        let none = Token.base64URL(#"{"alg":"none"}"#) + "." + parts[1]
        func header(_ text: String) -> String { Token.make(claims(), header: text) }
        let signed = parts[0] + "." + parts[1]
        let tokens = [
            "x", "..", "a.b", "a.b.c", "a.b.c.d", signed, signed + ".", "." + parts[1] + "." + parts[2],
            good + "=", good + ".", good.replacing(".", with: " "), String(good.dropLast()), good + "A",
            parts[0] + "=." + parts[1] + "." + parts[2],
            signed + "." + Token.signature(signed, secret: Token.secret + "x"),
            signed + "." + Token.base64URL([UInt8](repeating: 0, count: 32)),
            Token.make(claims(), secret: "another-secret-another-secret-another"),
            none + ".", none + "." + Token.signature(none),
            header(#"{"alg":"none"}"#), header(#"{"alg":"HS512"}"#), header(#"{"alg":"RS256"}"#),
            header(#"{"alg":"hs256"}"#), header(#"{"typ":"JWT"}"#), header(#"{"alg":["HS256"]}"#), header("HS256"),
            header(#"{"alg":"HS256","crit":["exp"]}"#), header("[]"), header(""),
        ]
        for token in tokens {
            expect(try get(token: token), 401, "Could not validate credentials", token)
        }
    }

    @Test func `rejects claims that are malformed, missing or not yet valid`() throws {
        let now = Token.now
        let texts = [
            "", "[]", "null", "1", "{", claims() + "x", #"{"sub":"\#(user)"}"#, #"{"exp":\#(now + 60)}"#,
            claims(exp: #""\#(now + 60)""#), claims(exp: "null"), claims(exp: "true"), claims(exp: "[]"),
            claims(#","nbf":\#(now + 100)"#), claims(#","nbf":"soon""#),
        ]
        let subjects = [
            "null", "true", "1.5", #""""#, #""abc""#, #""1x""#, #"" 1""#, "[1]", "{}", "9223372036854775808",
        ]
        for text in texts + subjects.map({ #"{"sub":\#($0),"exp":\#(now + 60)}"# }) {
            expect(try get(token: Token.make(text)), 401, "Could not validate credentials", text)
        }
    }

    @Test func `distinguishes a token that is only expired from one that is invalid for another reason`() throws {
        let now = Token.now
        for past in [now - 1, now - 3600, 0, 1] {
            expect(try get(token: Token.make(claims(exp: String(past)))), 401, "Token is expired", "\(past)")
        }
        let wrong = [
            Token.make(claims(exp: String(now - 60)), secret: "another-secret-another-secret-another"),
            Token.make(claims(exp: String(now - 60)), header: #"{"alg":"HS384"}"#),
            Token.make(claims(#","nbf":\#(now + 100)"#, exp: String(now - 60))),
            Token.make(#"{"exp":\#(now - 60)}"#), Token.make(#"{"sub":"x","exp":\#(now - 60)}"#),
        ]
        for token in wrong { expect(try get(token: token), 401, "Could not validate credentials", token) }
    }

    @Test func `checks issuer, audience, leeway and user claim when they are configured`() throws {
        let world = try World.own(environment: [
            "LUX_JWT_ISSUER": "https://accounts.test", "LUX_JWT_AUDIENCE": "lux", "LUX_JWT_LEEWAY": "30",
            "LUX_JWT_USER_CLAIM": "uid",
        ])
        let user = try world.user()
        let now = Token.now
        func token(_ more: String, exp: Int? = nil) -> String {
            Token.make(#"{"sub":"x","exp":\#(exp ?? now + 60)\#(more)}"#)
        }
        let uid = #","uid":"\#(user)""#
        let issuer = #","iss":"https://accounts.test""#
        let audience = #","aud":"lux""#
        let good = [
            token(uid + issuer + audience), token(#","uid":\#(user)"# + issuer + audience),
            token(uid + issuer + #","aud":["other","lux"]"#), token(uid + issuer + audience, exp: now - 10),
            token(uid + issuer + audience + #","nbf":\#(now + 15)"#),
        ]
        for token in good { expect(try get(token: token, of: world.server), json: "[]", token) }
        let bad = [
            token(uid + audience), token(uid + #","iss":"https://accounts.test/""# + audience),
            token(uid + #","iss":["https://accounts.test"]"# + audience), token(uid + issuer),
            token(uid + issuer + #","aud":"LUX""#), token(uid + issuer + #","aud":[]"#),
            token(uid + issuer + #","aud":["other"]"#), token(issuer + audience),
            token(uid + #","iss":"x""# + audience, exp: now - 100),
            token(uid + issuer + audience + #","nbf":\#(now + 100)"#),
        ]
        for token in bad {
            expect(try get(token: token, of: world.server), 401, "Could not validate credentials", token)
        }
        expect(
            try get(token: token(uid + issuer + audience, exp: now - 100), of: world.server), 401, "Token is expired")
        world.server.stop()
    }
}
