/// The errors of the endpoints' own checks. `ErrorResponse` knows the HTTP status of each.
package enum LUXError: String, Error, CaseIterable, Sendable {
    /// The child is not the user's.
    case notAuthorizedUser = "Not authorized user"
    /// There is no such user.
    case userIsNone = "User is None"
    /// The child has no device.
    case deviceNotFound = "Device not found"
    /// There is no such device, or not this one.
    case notFoundDevice = "Not Found Device"
    /// There is no such child.
    case notFoundUser = "Not Found User"
    /// The device is connected to somebody else.
    case alreadyConnectedDevice = "Already Connected Device"
    /// The device is not connected to this child.
    case notConnectedDevice = "Not Connected Device"
    /// The database rejected a change of a log.
    case updateDeviceLogFailed = "Update Device Log Failed"
    /// The database rejected a new log.
    case createDeviceLogFailed = "Create Device Log Failed"
    /// The user has no phone number that Alimtalk reaches.
    case phoneNumberNotFound = "Phone number is not found"
    /// The provider did not take the message.
    case alimtalkSendFailed = "Alimtalk send failed"

    /// The text as the API page spells it.
    package var detail: String { rawValue }
}
