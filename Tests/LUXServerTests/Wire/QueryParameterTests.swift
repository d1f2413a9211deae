import LUXTestSupport
import Testing

/// Query parameters: 422 with the name of the field, or 400 when the target itself is malformed.
@Suite struct QueryParameterTests {
    let world: World
    let user: Int64

    init() throws {
        world = try World()
        user = try world.user()
    }

    private enum Kind { case identifier, text }

    /// Each endpoint's parameters in the order of the API page.
    private static let endpoints: [(method: String, name: String, parameters: [(name: String, kind: Kind)])] = [
        ("GET", "child-device", [("real_user_id", .identifier)]),
        (
            "POST", "set-my-device",
            [("serial_code", .text), ("mac_id", .text), ("unique_id", .text), ("real_user_id", .identifier)]
        ),
        ("PATCH", "un-connect", [("unique_id", .text), ("real_user_id", .identifier)]),
        ("GET", "check-device", [("unique_id", .text)]),
    ]

    private static let badIdentifiers = [
        "", "abc", "1.0", "1e3", "0", "-1", "0x10", "true", "null", "1%00", "%001", "%201", "1%20", "+1", "1+", "%2B1",
        "1,2", "%D9%A1", "9223372036854775808", "99999999999999999999999999", "-9223372036854775809", "%221%22",
    ]

    private static let badTexts = ["", "%00", "a%00b", "%00a", "a%00"]

    private func send(_ method: String, _ name: String, _ query: [String]) throws -> HTTPReply {
        try world.call(method, query.isEmpty ? name : name + "?" + query.joined(separator: "&"), as: user)
    }

    @Test func `names a parameter that is missing, empty, sent twice or of the wrong kind`() throws {
        for (method, name, parameters) in Self.endpoints {
            for (place, parameter) in parameters.enumerated() {
                var query = parameters.map { $0.name + "=1" }
                query[place] = ""
                let others = query.filter { !$0.isEmpty }
                let invalid = parameter.name
                expectInvalid(try send(method, name, others), at: invalid, "\(name) without \(invalid)")
                expectInvalid(try send(method, name, others + [invalid]), at: invalid, "\(name) \(invalid) without =")
                let twice = others + [invalid + "=1", invalid + "=1"]
                expectInvalid(try send(method, name, twice), at: invalid, "\(name) \(invalid) twice")
                let emptyToo = others + [invalid + "=1", invalid + "="]
                expectInvalid(try send(method, name, emptyToo), at: invalid, "\(name) \(invalid) twice, once empty")
                for value in parameter.kind == .text ? Self.badTexts : Self.badIdentifiers {
                    query[place] = "\(invalid)=\(value)"
                    expectInvalid(try send(method, name, query), at: invalid, "\(name) \(query[place])")
                }
            }
        }
    }

    @Test func `reports the first error in the order of the API page, not of the query`() throws {
        for (method, name, parameters) in Self.endpoints {
            for invalid in parameters.indices {
                let query = parameters.enumerated().reversed().map { place, parameter in
                    parameter.name + (place < invalid ? "=1" : "=")
                }
                expectInvalid(try send(method, name, query), at: parameters[invalid].name, query.joined(separator: "&"))
                let none = Array(parameters[..<invalid].map { $0.name + "=1" })
                expectInvalid(try send(method, name, none), at: parameters[invalid].name, none.joined(separator: "&"))
            }
        }
    }

    @Test func `ignores unknown parameters, even twice, and accepts encoded names`() throws {
        let child = try world.child(of: user)
        let device = try world.device(of: child)
        for query in [
            "x=1&real_user_id=\(child)&x=2", "real_user_id=\(child)&x", "&&real_user_id=\(child)&&",
            "x=%00&real_user_id=\(child)",
            "real%5Fuser%5fid=\(child)", "real_user_id=\(child)&Real_User_Id=5", "=&real_user_id=\(child)",
            "real_user_id=%\(String(Array(String(child).utf8)[0], radix: 16))\(String(child).dropFirst())",
        ] {
            let reply = try world.call("GET", "child-device?" + query, as: user)
            #expect(reply.json?["id"]?.integer == device.id, "\(query) → \(reply.summary)")
        }
        let largest = try world.call("GET", "child-device?real_user_id=9223372036854775807", as: user)
        expect(largest, 401, "Not authorized user")
    }

    @Test func `calls a bad escape or invalid UTF-8 a malformed target, wherever it is`() throws {
        for bad in ["%", "%z1", "%1", "%1z", "%ff", "%c0%80", "%ed%a0%80", "%e2%82", "a%"] {
            for target in [
                "check-device?unique_id=\(bad)", "check-device?unique_id=1&other=\(bad)", "check-device?\(bad)=1",
                "get-all-device?\(bad)", "check\(bad)",
            ] {
                let client = try world.server.connect()
                try client.send(TestServer.request("GET", World.api + target, token: Token.access(user: user)))
                let reply = try client.receive()
                #expect(reply.status == 400, "\(target) → \(reply.summary)")
                #expect(reply.detail.map { !$0.isEmpty } ?? false, "\(target)")
            }
        }
    }
}
