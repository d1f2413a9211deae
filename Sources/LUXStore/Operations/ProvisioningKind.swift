/// What can be provisioned, and the SQL that identifies its rows. A value without state.
package enum ProvisioningKind: String, CaseIterable {
    case devices, users, children

    package var table: String { self == .children ? "real_users" : rawValue }

    package var columns: [ProvisioningColumn] {
        let id = ProvisioningColumn(
            name: "id", content: .integer(atLeast: 1),
            otherwise: "nextval(pg_get_serial_sequence('\(table)', 'id'))")
        let createdAt = ProvisioningColumn(name: "created_at", content: .timestamp, otherwise: "now()")
        switch self {
        case .users:
            return [id, ProvisioningColumn(name: "phone_number", content: .phoneNumber), createdAt]
        case .children:
            return [id, Self.reference("root_user_id", to: "users", isRequired: true)]
                + ["first_name", "last_name", "birthdate", "gender"].map { ProvisioningColumn(name: $0) }
                + [createdAt]
        case .devices:
            return [
                id, ProvisioningColumn(name: "unique_id", content: .code, isRequired: true),
                Self.reference("real_user_id", to: "real_users"),
                Self.reference("project_id"), Self.reference("hardware_id"),
                Self.reference("now_firmware_id", to: "firmwares"),
                ProvisioningColumn(name: "serial_code", content: .code),
                ProvisioningColumn(name: "mac_id", content: .code),
                ProvisioningColumn(name: "device_alias"), createdAt,
                ProvisioningColumn(name: "connected_at", content: .timestamp),
                ProvisioningColumn(name: "last_log_file_id", content: .integer(atLeast: 0), otherwise: "0"),
            ]
        }
    }

    private static func reference(_ name: String, to table: String? = nil, isRequired: Bool = false)
        -> ProvisioningColumn
    {
        ProvisioningColumn(
            name: name, content: .integer(atLeast: .min), isRequired: isRequired, references: table)
    }

    /// The column that identifies a row without an id, together with ``siblings``.
    package var key: String {
        switch self {
        case .devices: "unique_id"
        case .users: "phone_number"
        case .children: "first_name"
        }
    }

    /// The other columns that identify a row without an id.
    private var siblings: [String] { self == .children ? ["last_name", "birthdate", "gender"] : [] }

    /// Whether rows `a` and `b` are the same by their contents; SQL. The first comparisons can be hashed.
    package func isSame(_ a: String, _ b: String) -> String {
        let equal = (self == .children ? ["root_user_id"] : []) + [key]
        return
            (equal.map { "\(a).\($0) = \(b).\($0)" }
            + siblings.map { "\(a).\($0) is not distinct from \(b).\($0)" }).joined(separator: " and ")
    }

    /// Conditions, in SQL, each of which suffices for row `s` of the file to exist already as row `t` of the table.
    package var matches: [String] {
        switch self {
        case .devices: [isSame("t", "s")]
        case .users, .children:
            ["s.id is not null and t.id = s.id", "s.id is null and \(isSame("t", "s"))"]
        }
    }

    /// Columns in which a file must not differ from an existing row: they do not change while a device is in use.
    package var fixed: [String] {
        switch self {
        case .devices: ["id", "project_id", "hardware_id", "serial_code", "mac_id"]
        case .users: []
        case .children: ["root_user_id"]
        }
    }

    /// Columns that a file may correct if the operator requests it: all fixed ones except the id.
    package var correctable: [String] { self == .devices ? fixed.filter { $0 != "id" } : [] }
}
