import HTTP

/// The endpoints for the holders of access tokens, by the last segment of their path.
///
/// Code with an entry for each endpoint (the route table, the development banner, the query plan test) switches over this type
/// without `default`, or iterates over ``allCases``: a new endpoint does not compile until it has all its entries.
package enum Endpoint: String, CaseIterable, Sendable {
    case childDevice = "child-device"
    case getAllDevice = "get-all-device"
    case setMyDevice = "set-my-device"
    case unConnect = "un-connect"
    case checkDevice = "check-device"
    case updateAlias = "update-alias"
    case devlog
    case alimtalk
    case usageLogs = "usage-logs"

    package var name: String { rawValue }
    package var path: String { "/api/v1/lux/device/\(rawValue)" }
    package var method: String { Routes.route(to: self).method.rawValue }
}
