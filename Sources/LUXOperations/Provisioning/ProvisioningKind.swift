extension Provisioning {
    /// A column that a file may have.
    package struct Column: Equatable {
        /// What its fields are.
        package enum Content: Equatable {
            /// A code that apps send, see ``CodeRules``.
            case code
            case text, phoneNumber, timestamp
            case integer(atLeast: Int64)
        }

        package var name: String
        package var content = Content.text
        /// What an empty field becomes where that is not NULL; SQL.
        package var otherwise: String?
        package var isRequired = false
        /// The table that it names a row of.
        package var references: String?

        /// Its type in the staging table. Times stay text there, so that a bad one is found with its line.
        package var stagingType: String { if case .integer = content { "bigint" } else { "text" } }

        /// Its value as the table wants it; SQL over the staging table `s`.
        package var value: String {
            let value = content == .timestamp ? "s.\(name)::timestamptz" : "s.\(name)"
            return otherwise.map { "coalesce(\(value), \($0))" } ?? value
        }
    }

    /// What can be provisioned.
    package enum Kind: String, CaseIterable {
        case devices, users, children

        package var table: String { self == .children ? "real_users" : rawValue }

        package var columns: [Column] {
            let id = Column(
                name: "id", content: .integer(atLeast: 1),
                otherwise: "nextval(pg_get_serial_sequence('\(table)', 'id'))")
            let createdAt = Column(name: "created_at", content: .timestamp, otherwise: "now()")
            switch self {
            case .users:
                return [id, Column(name: "phone_number", content: .phoneNumber), createdAt]
            case .children:
                return [id, Self.reference("root_user_id", to: "users", isRequired: true)]
                    + ["first_name", "last_name", "birthdate", "gender"].map { Column(name: $0) } + [createdAt]
            case .devices:
                return [
                    id, Column(name: "unique_id", content: .code, isRequired: true),
                    Self.reference("real_user_id", to: "real_users"),
                    Self.reference("project_id"), Self.reference("hardware_id"),
                    Self.reference("now_firmware_id", to: "firmwares"), Column(name: "serial_code", content: .code),
                    Column(name: "mac_id", content: .code), Column(name: "device_alias"), createdAt,
                    Column(name: "connected_at", content: .timestamp),
                    Column(name: "last_log_file_id", content: .integer(atLeast: 0), otherwise: "0"),
                ]
            }
        }

        private static func reference(_ name: String, to table: String? = nil, isRequired: Bool = false) -> Column {
            Column(name: name, content: .integer(atLeast: .min), isRequired: isRequired, references: table)
        }

        /// The column that identifies a row without an id, together with ``siblings``.
        package var key: String {
            switch self {
            case .devices: "unique_id"
            case .users: "phone_number"
            case .children: "first_name"
            }
        }

        /// What else has to be the same in two rows without an id for them to be one.
        private var siblings: [String] { self == .children ? ["last_name", "birthdate", "gender"] : [] }

        /// Whether rows `a` and `b` are the same by their contents; SQL. The first comparisons can be hashed.
        package func isSame(_ a: String, _ b: String) -> String {
            let equal = (self == .children ? ["root_user_id"] : []) + [key]
            return
                (equal.map { "\(a).\($0) = \(b).\($0)" }
                + siblings.map { "\(a).\($0) is not distinct from \(b).\($0)" }).joined(separator: " and ")
        }

        /// When a row `s` of the file is a row `t` of the table already; SQL, each one for itself.
        package var matches: [String] {
            switch self {
            case .devices: [isSame("t", "s")]
            case .users, .children: ["s.id is not null and t.id = s.id", "s.id is null and \(isSame("t", "s"))"]
            }
        }

        /// What a row that is there already must not have otherwise: what does not change while a device is in use.
        package var fixed: [String] {
            switch self {
            case .devices: ["id", "project_id", "hardware_id", "serial_code", "mac_id"]
            case .users: []
            case .children: ["root_user_id"]
            }
        }
    }
}
