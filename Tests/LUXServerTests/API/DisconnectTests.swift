import LUXTestSupport
import Testing

/// PATCH un-connect
@Suite(.bothDoors) struct DisconnectTests {
    let world: World

    init() throws { world = try World() }

    private func disconnect(_ unique: String, from child: Int64, as user: Int64) throws -> HTTPReply {
        try world.call("PATCH", "un-connect?unique_id=\(unique)&real_user_id=\(child)", as: user)
    }

    @Test func `disconnects, forgets the alias and the time of connection, and keeps the logs`() throws {
        let (user, child, device) = try world.family()
        try world.sql.query(
            "update devices set device_alias = 'mine', serial_code = 'S', mac_id = '41AD' where id = $1",
            [String(device.id)])
        let record = World.record(child: child, device: device, date: "2025-02-14T15:48:49", flag: 1, file: 7)
        expect(try world.upload([record], as: user), json: Saved.complete)
        let logs = try world.logs(of: device)

        let reply = try disconnect(device.unique, from: child, as: user)
        expect(reply, json: #"{"statusCode":200,"message":"device unconnected"}"#)
        let row = try world.sql.query(
            """
            select real_user_id, device_alias, connected_at, serial_code, mac_id, last_log_file_id
            from devices where id = $1
            """, [String(device.id)])
        #expect(row == [[nil, nil, nil, "S", "41AD", "7"]])
        #expect(try world.logs(of: device) == logs)
    }

    @Test func `rejects with the contract's errors, in its order`() throws {
        let (user, child, device) = try world.family()
        let sibling = try world.child(of: user)
        let (_, strangersChild, strangers) = try world.family()
        let free = try world.device()
        let before = try world.everything(of: device) + world.everything(of: strangers)
        expect(try disconnect(strangers.unique, from: strangersChild, as: user), 401, "Not authorized user")
        expect(try disconnect("none", from: absentID, as: user), 401, "Not authorized user")
        expect(try disconnect("none", from: child, as: user), 404, "Not Found Device", "unknown")
        expect(try disconnect(free.unique, from: child, as: user), 404, "Not Found Device", "connected to nobody")
        expect(try disconnect(device.unique, from: sibling, as: user), 404, "Not Found Device", "to the other child")
        expect(try disconnect(strangers.unique, from: child, as: user), 404, "Not Found Device", "to a stranger's")
        #expect(try world.everything(of: device) + world.everything(of: strangers) == before)
    }

    @Test func `responds not found to a second disconnect and lets another child connect`() throws {
        let (user, child, device) = try world.family()
        #expect(try disconnect(device.unique, from: child, as: user).status == 200)
        expect(try disconnect(device.unique, from: child, as: user), 404, "Not Found Device")
        let (other, otherChild, _) = try world.family()
        let target = "set-my-device?serial_code=S&mac_id=41AD&unique_id=\(device.unique)&real_user_id=\(otherChild)"
        #expect(try world.call("POST", target, as: other).status == 200)
    }
}
