import LUXTestSupport
import Testing

/// PATCH update-alias
@Suite(.bothDoors) struct UpdateAliasTests {
    let world: World

    init() throws { world = try World() }

    private func rename(_ device: Int64, of child: Int64, to alias: String, as user: Int64) throws -> HTTPReply {
        let body = #"{"device_id":\#(device),"real_user_id":\#(child),"device_alias":\#(alias)}"#
        return try world.call("PATCH", "update-alias", as: user, body: body)
    }

    @Test func `returns the whole device with its new alias`() throws {
        let user = try world.user()
        let child = try world.child(of: user)
        let (device, json, _) = try world.completeDevice(of: child)
        let expected = json.replacing(#"living \"room\""#, with: "bed room")
        expect(try rename(device.id, of: child, to: #""bed room""#, as: user), json: expected)
        let stored = try world.sql.value("select device_alias from devices where id = $1", [String(device.id)])
        #expect(stored == "bed room")
    }

    @Test func `rejects with the contract's errors, in its order`() throws {
        let (user, child, device) = try world.family()
        let sibling = try world.child(of: user)
        let (_, strangersChild, strangers) = try world.family()
        let free = try world.device()
        let name = #""x""#
        expect(try rename(absentID, of: strangersChild, to: name, as: user), 401, "Not authorized user")
        expect(try rename(device.id, of: absentID, to: name, as: user), 401, "Not authorized user")
        expect(try rename(absentID, of: child, to: name, as: user), 404, "Not Found Device")
        for other in [free.id, strangers.id] {
            expect(try rename(other, of: child, to: name, as: user), 409, "Not Connected Device")
        }
        expect(try rename(device.id, of: sibling, to: name, as: user), 409, "Not Connected Device", "other child")
        #expect(try world.sql.integer("select count(*) from devices where device_alias = 'x'") == 0)
    }

    /// JSON strings, and the alias that each becomes.
    private static let good: [(sent: String, stored: String)] = [
        (#""  x  ""#, "x"), (#""\tx\n""#, "x"), (#""\u3000\u00a0거실\u2003""#, "거실"), (#""a  b""#, "a  b"),
        (#""\ud83d\ude00""#, "😀"), (#""e\u0301""#, "e\u{301}"), (#""\u0022\\\/""#, "\"\\/"),
        ("\"\(String(repeating: "😀", count: 100))\"", String(repeating: "😀", count: 100)),
        ("\"  \(String(repeating: "a", count: 100))  \"", String(repeating: "a", count: 100)),
        (#""a\u00adb""#, "a\u{ad}b"), (#""'; drop table devices; --""#, "'; drop table devices; --"),
    ]

    @Test func `trims an alias and keeps the rest of it as it is`() throws {
        let (user, child, device) = try world.family()
        for (sent, stored) in Self.good {
            let reply = try rename(device.id, of: child, to: sent, as: user)
            #expect(reply.status == 200, "\(sent) → \(reply.summary)")
            let returned = reply.json?["device_alias"]?.string.map { Array($0.unicodeScalars) }
            #expect(returned == Array(stored.unicodeScalars), "\(sent)")
            let kept = try world.sql.value("select device_alias from devices where id = $1", [String(device.id)])
            #expect(kept.map { Array($0.unicodeScalars) } == Array(stored.unicodeScalars), "\(sent)")
        }
    }

    private static let bad = [
        #""""#, #""   ""#, #""\u3000\n""#, #""a\nb""#, #""a\u0007b""#, #""a\u007fb""#, #""a\u0085b""#,
        "\"\(String(repeating: "a", count: 101))\"", "1", "true", "[]", "{}", "null",
    ]

    @Test func `rejects an alias that is empty, too long, not a string, or contains a control character`() throws {
        let (user, child, device) = try world.family()
        for alias in Self.bad {
            expectInvalid(try rename(device.id, of: child, to: alias, as: user), at: "device_alias", alias)
        }
        let kept = try world.sql.value("select device_alias from devices where id = $1", [String(device.id)])
        #expect(kept == nil)
    }
}
