import JSON
import LUX
import Testing

@testable import LUXAPI

/// A column of a device that is read is part of the responses.
@Suite struct DeviceMembersTests {
    private static let device = Device(
        id: 1, realUserID: 2, projectID: 3, hardwareID: 4, nowFirmwareID: 5, uniqueID: "u", serialCode: "s",
        deviceAlias: "a", macID: "m", createdAt: Timestamp(microseconds: 0), lastLogFileID: 6)

    /// `realUserID` as `real_user_id`.
    private static func memberName(_ property: String) -> String {
        property.replacing(/([a-z])([A-Z]+)/) { "\($0.output.1)_\($0.output.2)" }.lowercased()
    }

    @Test func `a response has a member for each property of a device, in their order, and no other`() throws {
        var json = JSONWriter()
        json.object { Self.device.write(to: &$0) }
        let members = try #require(try JSONValue(json.bytes).members)
        #expect(
            members.map(\.name) == Mirror(reflecting: Self.device).children.map { Self.memberName($0.label ?? "") })
    }
}
