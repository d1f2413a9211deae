import Concurrency
import HTTP
import JSON
import LUX
import LUXStore

/// `POST set-my-device`: connects a device to a child. Codes cannot be guessed: see ``GuessLimiter``.
@Sendable func setMyDevice(_ request: DeviceRequest) async throws -> HTTPResponse {
    let serialCode = try request.text("serial_code")
    let macID = try request.text("mac_id")
    let uniqueID = try request.text("unique_id")
    let childID = try request.id("real_user_id")
    let guesses = request.services.guesses
    if let seconds = guesses.begin(account: request.userID, at: .now()) {
        try await request.store.requireOwnership(childID: childID, userID: request.userID)
        throw APIError.tooManyRequests(retryAfter: seconds)
    }
    var missed = false
    defer { guesses.end(account: request.userID, missed: missed, at: .now()) }
    do {
        try await request.store.connect(
            uniqueID: uniqueID, serialCode: serialCode, macID: macID, childID: childID, userID: request.userID)
    } catch LUXError.notFoundDevice {
        missed = true
        throw LUXError.notFoundDevice
    }
    return .json { json in
        // Only this endpoint spells it in lower case; clients in the field depend on it.
        json.member("statuscode", 200)
        json.member("message", "device connected")
    }
}
