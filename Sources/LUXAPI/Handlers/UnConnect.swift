import HTTP
import JSON
import LUX
import LUXStore

/// `PATCH un-connect`: disconnects a device from a child.
@Sendable func unConnect(_ request: DeviceRequest) async throws -> HTTPResponse {
    let uniqueID = try request.text("unique_id")
    let childID = try request.id("real_user_id")
    try await request.store.disconnect(uniqueID: uniqueID, childID: childID, userID: request.userID)
    return .json { json in
        json.member("statusCode", 200)
        json.member("message", "device unconnected")
    }
}
