import HTTP
import JSON
import LUX
import LUXStore

/// `GET child-device`: the device of a child.
@Sendable func childDevice(_ request: DeviceRequest) async throws -> HTTPResponse {
    let childID = try request.id("real_user_id")
    let device = try await request.store.childDevice(childID: childID, userID: request.userID)
    return .json { device.write(to: &$0) }
}

/// `GET get-all-device`: the connected devices of all children of the user.
@Sendable func getAllDevice(_ request: DeviceRequest) async throws -> HTTPResponse {
    let devices = try await request.store.allDevices(userID: request.userID)
    return .jsonArray { array in
        for device in devices {
            array.object { device.write(to: &$0) }
        }
    }
}

/// `GET check-device`: whether the user may connect to a device.
@Sendable func checkDevice(_ request: DeviceRequest) async throws -> HTTPResponse {
    let uniqueID = try request.text("unique_id")
    let (device, connected) = try await request.store.checkDevice(uniqueID: uniqueID, userID: request.userID)
    return .json { json in
        json.member("detail", connected ? "Connection Confirmed" : "Device Registerable")
        json.member("device_data") { device.write(to: &$0) }
    }
}
