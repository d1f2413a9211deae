import HTTP

/// Who may call a route, and what answers it.
enum Access: Sendable {
    /// Anybody.
    case open(@Sendable (OpenRequest) async throws -> HTTPResponse)
    /// The holder of a valid access token.
    case user(@Sendable (DeviceRequest) async throws -> HTTPResponse)
}

/// Every path that the server answers: one line each.
enum Routes {
    static let table: [(method: HTTPMethod, path: String, access: Access)] = [
        (.get, "/api/v1/lux/device/child-device", .user(childDevice)),
        (.get, "/api/v1/lux/device/get-all-device", .user(getAllDevice)),
        (.post, "/api/v1/lux/device/set-my-device", .user(setMyDevice)),
        (.patch, "/api/v1/lux/device/un-connect", .user(unConnect)),
        (.get, "/api/v1/lux/device/check-device", .user(checkDevice)),
        (.patch, "/api/v1/lux/device/update-alias", .user(updateAlias)),
        (.post, "/api/v1/lux/device/devlog", .user(devlog)),
        (.post, "/api/v1/lux/device/alimtalk", .user(alimtalk)),
        (.get, "/healthz", .open(healthz)),
        (.get, "/readyz", .open(readyz)),
        (.get, "/metrics", .open(metrics)),
    ]

    /// All methods of the table, for `OPTIONS *`.
    static let methods: String = {
        let known = Set(table.map(\.method.rawValue)).union(["HEAD", "OPTIONS"])
        return known.sorted().joined(separator: ", ")
    }()

    static let router = Router<Access>(table.map { ($0.method, $0.path, $0.access) })
}
