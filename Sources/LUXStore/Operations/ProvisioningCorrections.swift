/// Which existing devices a file may correct. An immutable value.
package struct ProvisioningCorrections: Sendable {
    static let codes = ["serial_code", "mac_id"]

    /// Whether devices are corrected that are not connected.
    package let ofUnconnected: Bool
    /// Whether the codes of connected devices are replaced.
    package let ofConnectedCodes: Bool

    package init(ofUnconnected: Bool = false, ofConnectedCodes: Bool = false) {
        self.ofUnconnected = ofUnconnected
        self.ofConnectedCodes = ofConnectedCodes
    }

    var isAny: Bool { ofUnconnected || ofConnectedCodes }

    /// When a column of device `t` may be corrected; SQL.
    func condition(of column: String) -> String {
        guard ProvisioningKind.devices.correctable.contains(column) else { return "false" }
        var conditions: [String] = []
        if ofUnconnected { conditions.append("t.real_user_id is null") }
        if ofConnectedCodes, Self.codes.contains(column) {
            conditions.append("t.real_user_id is not null")
        }
        return conditions.isEmpty ? "false" : conditions.joined(separator: " or ")
    }
}
