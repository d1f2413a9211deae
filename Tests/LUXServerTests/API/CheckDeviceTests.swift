import LUXTestSupport
import Testing

/// GET check-device
@Suite(.bothDoors) struct CheckDeviceTests {
    let world: World

    init() throws { world = try World() }

    @Test func `confirms a device of one of the user's children`() throws {
        let user = try world.user()
        let child = try world.child(of: user)
        let (device, json, _) = try world.completeDevice(of: child)
        expect(
            try world.call("GET", "check-device?unique_id=\(device.unique)", as: user),
            json: #"{"detail":"Connection Confirmed","device_data":\#(json)}"#)
    }

    @Test func `calls a device that is connected to nobody registerable`() throws {
        let user = try world.user()
        let (device, json, _) = try world.completeDevice(of: nil)
        expect(
            try world.call("GET", "check-device?unique_id=\(device.unique)", as: user),
            json: #"{"detail":"Device Registerable","device_data":\#(json)}"#)
    }

    @Test func `rejects with the contract's errors, in its order`() throws {
        let user = try world.user()
        let (_, _, strangers) = try world.family()
        expect(try world.call("GET", "check-device?unique_id=none", as: absentID), 401, "Not authorized user")
        expect(
            try world.call("GET", "check-device?unique_id=\(strangers.unique)", as: absentID), 401,
            "Not authorized user")
        expect(try world.call("GET", "check-device?unique_id=none", as: user), 404, "Not Found Device")
        expect(
            try world.call("GET", "check-device?unique_id=\(strangers.unique)", as: user), 409,
            "Already Connected Device")
    }

    /// A unique id as stored, and spellings of it in a query.
    private static let spellings: [(stored: String, sent: [String])] = [
        ("a b", ["a+b", "a%20b"]), ("a+c", ["a%2Bc", "a%2bc"]), ("장치-1", ["%EC%9E%A5%EC%B9%98-1"]),
        ("a&b=c", ["a%26b%3Dc", "a%26b=c"]), ("100%", ["100%25"]), ("o'; drop table x --", ["o';+drop+table+x+--"]),
        ("back\\slash\"quote", ["back%5Cslash%22quote"]), ("q?r/s", ["q?r/s", "q%3Fr%2Fs"]),
        ("\u{1}control\t", ["%01control%09"]),
    ]

    @Test func `decodes a text parameter and writes it back as JSON`() throws {
        let user = try world.user()
        for (stored, sent) in Self.spellings {
            let prefix = "spelled-\(Unique.number())-"
            _ = try world.device(unique: prefix + stored)
            for spelling in sent {
                let reply = try world.call("GET", "check-device?unique_id=\(prefix + spelling)", as: user)
                #expect(reply.status == 200, "\(spelling) → \(reply.summary)")
                #expect(reply.json?["device_data"]?["unique_id"]?.string == prefix + stored, "\(spelling)")
            }
        }
    }
}
