import Glibc
import LUXTestSupport
import Testing

/// POST set-my-device
@Suite(.bothDoors) struct SetMyDeviceTests {
    let world: World

    init() throws { world = try World() }

    static let connected = #"{"statuscode":200,"message":"device connected"}"#

    private func connect(
        _ device: World.Device, to child: Int64, as user: Int64, serial: String = "S1", mac: String = "41AD"
    ) throws -> HTTPReply {
        let query = "serial_code=\(serial)&mac_id=\(mac)&unique_id=\(device.unique)&real_user_id=\(child)"
        return try world.call("POST", "set-my-device?" + query, as: user)
    }

    private func stored(_ device: World.Device) throws -> [String?] {
        try world.sql.query(
            """
            select real_user_id, serial_code, mac_id, connected_at > now() - interval '1 minute' from devices
            where id = $1
            """, [String(device.id)]
        ).first ?? []
    }

    @Test func `connects a device and records what was not yet recorded`() throws {
        let user = try world.user()
        let child = try world.child(of: user)
        let device = try world.device()
        expect(try connect(device, to: child, as: user), json: Self.connected)
        #expect(try stored(device) == [String(child), "S1", "41AD", "t"])
    }

    @Test func `of two devices the one that was connected last is the child's, though its request came first`()
        async throws
    {
        try await onThread {
            let world = try World.own()
            let user = try world.user()
            let child = try world.child(of: user)
            let (late, early) = (try world.device(), try world.device())
            try world.sql.script("begin; select * from devices where id = \(late.id) for update")
            let client = try world.server.connect()
            let query = "set-my-device?serial_code=S&mac_id=41AD&real_user_id=\(child)&unique_id="
            try client.send(
                TestServer.request("POST", World.api + query + late.unique, token: Token.access(user: user)))
            usleep(300_000)
            expect(try world.call("POST", query + early.unique, as: user), json: Self.connected)
            try world.sql.script("commit")
            expect(try client.receive(), json: Self.connected)
            let reply = try world.call("GET", "child-device?real_user_id=\(child)", as: user)
            #expect(reply.json?["unique_id"]?.string == late.unique)
            world.server.stop()
        }
    }

    @Test func `compares a serial code byte by byte`() throws {
        let user = try world.user()
        let child = try world.child(of: user)
        let device = try world.device(serial: "caf\u{e9}")
        expect(try connect(device, to: child, as: user, serial: "cafe%CC%81"), 404, "Not Found Device")
        expect(try connect(device, to: child, as: user, serial: "caf%C3%A9"), json: Self.connected)
    }

    @Test func `keeps the serial code and the address that the factory recorded`() throws {
        let user = try world.user()
        let child = try world.child(of: user)
        let device = try world.device(serial: "S1", mac: "aa:bb:cc:dd:41:ad")
        expect(try connect(device, to: child, as: user), json: Self.connected)
        #expect(try stored(device) == [String(child), "S1", "aa:bb:cc:dd:41:ad", "t"])
    }

    @Test func `rejects an account after 20 wrong codes, after the check of ownership`() throws {
        let user = try world.user()
        let child = try world.child(of: user)
        let device = try world.device(serial: "S1", mac: "41AD")
        for guess in 0..<20 {
            expect(try connect(device, to: child, as: user, mac: String(1_000 + guess)), 404, "Not Found Device")
        }
        let reply = try connect(device, to: child, as: user)
        expect(reply, 429, "Too many requests")
        #expect(reply.header("Retry-After").flatMap { Int($0) }.map { (1...600).contains($0) } == true)
        expect(try connect(device, to: absentID, as: user), 401, "Not authorized user")
        let (other, otherChild) = (try world.user(), try world.device())
        expect(
            try connect(otherChild, to: try world.child(of: other), as: other), json: Self.connected)
    }

    @Test func `finds the child not authorized that is deleted while the device is locked`() async throws {
        try await onThread {
            let world = try World.own()
            let user = try world.user()
            let child = try world.child(of: user)
            let device = try world.device()
            try world.sql.script("begin; select * from devices where id = \(device.id) for update")
            let client = try world.server.connect()
            let query = "set-my-device?serial_code=S&mac_id=41AD&real_user_id=\(child)&unique_id=\(device.unique)"
            try client.send(TestServer.request("POST", World.api + query, token: Token.access(user: user)))
            usleep(300_000)
            try world.sql.script("delete from real_users where id = \(child); commit")
            expect(try client.receive(), 401, "Not authorized user")
            world.server.stop()
        }
    }

    @Test func `changes nothing when the device is connected to this child already`() throws {
        let (user, child, device) = try world.family()
        let before = try world.everything(of: device)
        expect(try connect(device, to: child, as: user), json: Self.connected)
        #expect(try world.everything(of: device) == before)
        #expect(try stored(device).prefix(3) == [String(child), nil, nil])
    }

    @Test func `rejects with the contract's errors, in its order`() throws {
        let (user, child, own) = try world.family()
        let sibling = try world.child(of: user)
        let (_, strangersChild, strangers) = try world.family()
        let free = try world.device(serial: "S1", mac: "41AD")
        let ghost = World.Device(id: 0, unique: "no-such-device")
        let before = try world.everything(of: strangers)

        expect(try connect(free, to: strangersChild, as: user), 401, "Not authorized user")
        expect(try connect(free, to: absentID, as: user), 401, "Not authorized user")
        expect(try connect(ghost, to: strangersChild, as: user), 401, "Not authorized user", "before the device")
        expect(try connect(ghost, to: child, as: user), 404, "Not Found Device")
        expect(try connect(free, to: child, as: user, serial: "S2"), 404, "Not Found Device", "other serial code")
        expect(try connect(free, to: child, as: user, mac: "41AE"), 404, "Not Found Device", "other address")
        expect(try connect(strangers, to: child, as: user), 409, "Already Connected Device")
        expect(try connect(own, to: sibling, as: user), 409, "Already Connected Device", "the same user's other child")
        try world.sql.query("update devices set serial_code = 'S9' where id = $1", [String(own.id)])
        expect(try connect(own, to: sibling, as: user), 404, "Not Found Device", "404 before 409")
        #expect(try world.everything(of: strangers) == before)
        #expect(try stored(free).first == .some(nil))
    }

    /// Recorded address, sent address (as in a query), and whether they are one device's.
    private static let addresses: [(recorded: String, sent: String, same: Bool)] = [
        ("AABBCCDD41AD", "41AD", true), ("aa:bb:cc:dd:41:ad", "41AD", true), ("AA-BB-CC-DD-41-AD", "41ad", true),
        ("aabb.ccdd.41ad", "DD41AD", true), ("AA BB CC DD 41 AD", "AABBCCDD41AD", true), ("41AD", "41AD", true),
        ("41AD", "aa:bb:cc:dd:41:ad", true), ("test1234", "test1234", true), ("1AD", "1AD", true),
        ("a:b", "AB", true), ("41AD", "4%201%2BAD", false), ("AABBCCDD41AD", "4+1+a+d", true),
        ("AABBCCDD41AD", "1AD", false), ("AABBCCDD41AD", "AABB", false), ("AABBCCDD41AD", "41AE", false),
        ("41AD", "141AE", false), ("AD", "41AD", false), ("AABBCCDD41AD", "A:D", false),
        ("AABBCCDD41AD", "%25", false), ("AABBCCDD41AD", "____", false),
    ]

    @Test func `takes two addresses for one device's by the contract's rule`() throws {
        let user = try world.user()
        let child = try world.child(of: user)
        for (recorded, sent, same) in Self.addresses {
            let device = try world.device(mac: recorded)
            let reply = try connect(device, to: child, as: user, mac: sent)
            if same {
                expect(reply, json: Self.connected, "\(recorded) and \(sent)")
            } else {
                expect(reply, 404, "Not Found Device", "\(recorded) and \(sent)")
            }
            #expect(try stored(device).prefix(3).last == recorded)
        }
    }

    @Test func `compares serial codes exactly`() throws {
        let user = try world.user()
        let child = try world.child(of: user)
        let device = try world.device(serial: "Sn 1")
        for other in ["sn+1", "Sn1", "Sn+1+", "%25"] {
            expect(try connect(device, to: child, as: user, serial: other), 404, "Not Found Device", other)
        }
        expect(try connect(device, to: child, as: user, serial: "Sn+1"), json: Self.connected)
    }

    @Test func `lets exactly one of two racing children win`() throws {
        let users = try (0..<2).map { _ in try world.user() }
        let children = try users.map { try world.child(of: $0) }
        let server = world.server
        for _ in 0..<10 {
            let device = try world.device()
            let replies = try simultaneously(16) { index in
                let side = index % 2
                let query = "serial_code=R&mac_id=41AD&unique_id=\(device.unique)&real_user_id=\(children[side])"
                return try server.call(
                    "POST", World.api + "set-my-device?" + query, token: Token.access(user: users[side]))
            }
            let sides = [0, 1].map { side in
                Set(replies.enumerated().filter { $0.offset % 2 == side }.map { $0.element.summary })
            }
            let won = Self.connected
            let lost = #"{"detail":"Already Connected Device"}"#
            let winner = try stored(device).first == .some(String(children[0])) ? 0 : 1
            #expect(sides[winner] == ["200 " + won])
            #expect(sides[1 - winner] == ["409 " + lost])
        }
    }
}
