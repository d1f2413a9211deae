import LUX
import Testing

@Suite struct LUXErrorTests {
    @Test func `spells its errors as the API page does`() {
        let spellings: [LUXError: String] = [
            .notAuthorizedUser: "Not authorized user", .userIsNone: "User is None",
            .deviceNotFound: "Device not found", .notFoundDevice: "Not Found Device",
            .notFoundUser: "Not Found User", .alreadyConnectedDevice: "Already Connected Device",
            .notConnectedDevice: "Not Connected Device", .updateDeviceLogFailed: "Update Device Log Failed",
            .createDeviceLogFailed: "Create Device Log Failed", .phoneNumberNotFound: "Phone number is not found",
            .alimtalkSendFailed: "Alimtalk send failed",
        ]
        for error in LUXError.allCases { #expect(error.detail == spellings[error], "\(error)") }
    }
}
