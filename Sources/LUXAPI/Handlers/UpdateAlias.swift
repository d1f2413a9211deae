import HTTP
import LUX
import LUXStore

/// `PATCH update-alias`: changes the alias of a device.
@Sendable func updateAlias(_ request: DeviceRequest) async throws -> HTTPResponse {
    let body = try UpdateAliasBody(request.http.body)
    let device = try await request.store.updateAlias(
        deviceID: body.deviceID, childID: body.childID, alias: body.alias, userID: request.userID)
    return .json { device.write(to: &$0) }
}
