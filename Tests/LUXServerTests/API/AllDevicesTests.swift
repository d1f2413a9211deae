import LUXTestSupport
import Testing

/// GET get-all-device
@Suite(.bothDoors) struct AllDevicesTests {
    let world: World

    init() throws { world = try World() }

    @Test func `returns a row with the seventeen keys of the API page, in their order`() throws {
        let user = try world.user()
        let child = try world.child(of: user, first: "민수", last: "Lee \"X\"", birth: "19970101", gender: "N")
        let (_, json, _) = try world.completeDevice(of: child)
        let firmware = json.replacing(/"now_firmware_id":\d+,/) { $0.output + #""firmware_version":"1.4.2","# }
        let row =
            firmware.dropLast() + """
                ,"root_user_id":\(user),"first_name":"민수","last_name":"Lee \\"X\\"",\
                "birthdate":"19970101","gender":"N"}
                """
        expect(try world.call("GET", "get-all-device", as: user), json: "[\(row)]")
    }

    @Test func `returns an empty array when no device is connected and when there is no child`() throws {
        let user = try world.user()
        expect(try world.call("GET", "get-all-device", as: user), json: "[]", "no child")
        _ = try world.child(of: user)
        expect(try world.call("GET", "get-all-device", as: user), json: "[]", "no device")
    }

    @Test func `returns every connected device of the user's children, by child, then by id`() throws {
        let user = try world.user()
        let children = try (0..<3).map { _ in try world.child(of: user) }
        _ = try world.family()
        var expected: [[Int64]] = []
        // Created in an order that differs from both orders of the response.
        for child in [children[2], children[0], children[2], children[0]] {
            expected.append([child, try world.device(of: child).id])
        }
        let bare = try world.device(of: children[1])
        try world.sql.query(
            "update devices set real_user_id = null, connected_at = null where id = $1", [String(bare.id)])
        let rows = try world.call("GET", "get-all-device", as: user).json?.items ?? []
        let pairs = rows.map { [$0["real_user_id"]?.integer ?? 0, $0["id"]?.integer ?? 0] }
        #expect(pairs == expected.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(rows.allSatisfy { $0["firmware_version"] == .null })
    }

    @Test func `rejects a token whose user does not exist`() throws {
        expect(try world.call("GET", "get-all-device", as: absentID), 401, "User is None")
    }

    @Test func `returns a thousand rows whole`() throws {
        let user = try world.user()
        let child = try world.child(of: user)
        try world.sql.query(
            """
            insert into devices (real_user_id, unique_id, device_alias, connected_at)
            select $1::bigint, 'many-' || $1::bigint || '-' || n, repeat('가', 100), now() from generate_series(1, 1000) n
            """, [String(child)])
        let reply = try world.call("GET", "get-all-device", as: user)
        #expect(reply.status == 200)
        #expect(reply.json?.items?.count == 1000)
    }
}
