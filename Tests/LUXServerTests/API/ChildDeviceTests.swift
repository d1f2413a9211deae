import LUXTestSupport
import Testing

/// GET child-device
@Suite(.bothDoors) struct ChildDeviceTests {
    let world: World

    init() throws { world = try World() }

    @Test func `returns the device with the eleven keys of the API page, in their order`() throws {
        let user = try world.user()
        let child = try world.child(of: user)
        let (_, json, _) = try world.completeDevice(of: child)
        expect(try world.call("GET", "child-device?real_user_id=\(child)", as: user), json: json)
    }

    @Test func `returns absent values as null`() throws {
        let (user, child, device) = try world.family()
        try world.sql.query(
            "update devices set created_at = '2020-01-01T00:00:00+09:00' where id = $1", [String(device.id)])
        let reply = try world.call("GET", "child-device?real_user_id=\(child)", as: user)
        expect(
            reply,
            json: """
                {"id":\(device.id),"real_user_id":\(child),"project_id":null,"hardware_id":null,"now_firmware_id":null,
                "unique_id":"\(device.unique)","serial_code":null,"device_alias":null,"mac_id":null,
                "created_at":"2019-12-31T15:00:00.000Z","last_log_file_id":0}
                """)
    }

    @Test func `returns the device connected last, of a tie the one with the highest id`() throws {
        let (user, child, first) = try world.family()
        func returned() throws -> Int64? {
            try world.call("GET", "child-device?real_user_id=\(child)", as: user).json?["id"]?.integer
        }
        _ = try world.device(of: child, connected: "2020-01-01T00:00:00Z")
        #expect(try returned() == first.id)
        let tied = try world.device(of: child, connected: "2099-01-01T00:00:00Z")
        let highest = try world.device(of: child, connected: "2099-01-01T00:00:00Z")
        _ = try world.device(of: child, connected: "2098-01-01T00:00:00Z")
        #expect(tied.id < highest.id)
        #expect(try returned() == highest.id)
    }

    @Test func `puts a device whose time of connection is not known behind those with one`() throws {
        let (user, child, device) = try world.family()
        let unknown = try world.device(of: child)
        try world.sql.query("update devices set connected_at = null where id = $1", [String(unknown.id)])
        let reply = try world.call("GET", "child-device?real_user_id=\(child)", as: user)
        #expect(reply.json?["id"]?.integer == device.id)
    }

    @Test func `rejects a child that is not the user's, and one without a device`() throws {
        let (user, _, _) = try world.family()
        let (_, strangersChild, _) = try world.family()
        let bare = try world.child(of: user)
        for child in [strangersChild, absentID] {
            expect(
                try world.call("GET", "child-device?real_user_id=\(child)", as: user), 401, "Not authorized user")
        }
        expect(
            try world.call("GET", "child-device?real_user_id=\(bare)", as: absentID), 401, "Not authorized user")
        expect(try world.call("GET", "child-device?real_user_id=\(bare)", as: user), 404, "Device not found")
    }
}
