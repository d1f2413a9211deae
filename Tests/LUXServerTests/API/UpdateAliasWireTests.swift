import LUXTestSupport
import Testing

/// PATCH update-alias: bodies that are rejected before anything is looked up.
@Suite struct UpdateAliasBodyTests {
    @Test func `names the first invalid member in the order of the API page`() throws {
        let world = try World()
        let user = try world.user()
        let notIdentifiers = [
            #""1""#, "1.0", "1e3", "0", "-1", "true", "null", "[]", "{}", "9223372036854775808", "-0",
        ]
        var cases: [(body: String, field: String)] = [
            ("{}", "device_id"), (#"{"device_alias":"x"}"#, "device_id"),
            (#"{"device_alias":"x","device_id":1}"#, "real_user_id"),
            (#"{"real_user_id":1,"device_id":1}"#, "device_alias"),
            (#"{"device_alias":1,"real_user_id":0,"device_id":0}"#, "device_id"),
            (#"{"device_alias":1,"real_user_id":0,"device_id":1}"#, "real_user_id"),
        ]
        for bad in notIdentifiers {
            cases.append((#"{"device_id":\#(bad),"real_user_id":1,"device_alias":"x"}"#, "device_id"))
            cases.append((#"{"device_id":1,"real_user_id":\#(bad),"device_alias":"x"}"#, "real_user_id"))
        }
        for (body, field) in cases {
            expectInvalid(try world.call("PATCH", "update-alias", as: user, body: body), at: field, body)
        }
        for body in [
            #"{"device_id":1,"real_user_id":1,"device_alias":"a\u0000b"}"#, "", "null", "[]", "1", "{",
            #"{"device_id":1,}"#, "device_id=1&real_user_id=1&device_alias=x",
        ] {
            let reply = try world.call("PATCH", "update-alias", as: user, body: body)
            #expect(reply.status == 422 && reply.detail?.isEmpty == false, "\(body) → \(reply.summary)")
        }
        let none = try world.call("PATCH", "update-alias", as: user)
        #expect(none.status == 422 && none.detail?.isEmpty == false, "\(none.summary)")
    }
}
