import LUX
import Testing

@testable import LUXAPI

@Suite struct UpdateAliasBodyTests {
    private func detail(_ body: String) -> String {
        do throws(FieldError) {
            let body = try UpdateAliasBody(Array(body.utf8))
            return "\(body.deviceID) \(body.childID) \(body.alias.value)"
        } catch {
            return error.detail
        }
    }

    @Test(arguments: [
        ("", "body: must be valid JSON (it is not at byte 0)"),
        ("[]", "body: must be a JSON object"),
        ("{}", "device_id: is required"),
        (#"{"device_id":"1"}"#, "device_id: must be an integer"),
        (#"{"device_id":0}"#, "device_id: must be 1 or more"),
        (#"{"device_id":1}"#, "real_user_id: is required"),
        (#"{"device_id":1,"real_user_id":1.5}"#, "real_user_id: must be an integer"),
        (#"{"device_id":1,"real_user_id":1}"#, "device_alias: is required"),
        (#"{"device_id":1,"real_user_id":1,"device_alias":null}"#, "device_alias: is required"),
        (#"{"device_id":1,"real_user_id":1,"device_alias":7}"#, "device_alias: must be a string"),
        (
            #"{"device_id":1,"real_user_id":1,"device_alias":"  "}"#,
            "device_alias: must be 1 to 100 characters, at least one of them visible, without control characters"
        ),
        (
            "{\"device_id\":1,\"real_user_id\":1,\"device_alias\":\"\u{200B}\"}",
            "device_alias: must be 1 to 100 characters, at least one of them visible, without control characters"
        ),
        (
            #"{"device_id":1,"real_user_id":1,"device_alias":"a","x":[1,{"y":1e309}]}"#,
            "x[1].y: must be within the range of a double, with at most 400 characters and an exponent of at most 400"
        ),
        (
            #"{"device_id":1,"real_user_id":1,"device_alias":"a\u0000"}"#,
            "device_alias: must not contain a NUL character"
        ),
        (
            #"{"device_id":1,"real_user_id":1,"device_alias":"a","x":"\u0000"}"#,
            "body: must not contain a NUL character"
        ),
        (#"{"device_alias":true,"real_user_id":true,"device_id":true}"#, "device_id: must be an integer"),
    ]) func `reports the first error in the order of the page`(_ body: String, _ detail: String) {
        #expect(self.detail(body) == detail)
    }

    @Test func `of a member twice the last counts`() throws {
        let body = try UpdateAliasBody(
            Array(#"{"device_id":"x","device_id":3,"real_user_id":4,"device_alias":" 내 기기 "}"#.utf8))
        #expect(body.deviceID == 3)
        #expect(body.childID == 4)
        #expect(body.alias.value == "내 기기")
    }
}
