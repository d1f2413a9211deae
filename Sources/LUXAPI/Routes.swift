import HTTP

/// Access level and handler of a route.
enum Access: Sendable {
    /// Anybody.
    case open(@Sendable (OpenRequest) async throws -> HTTPResponse)
    /// The holder of a valid access token.
    case user(@Sendable (DeviceRequest) async throws -> HTTPResponse)
    /// Anybody, where the documentation is served and has this file.
    case documentation(DocumentationFile)
    /// Anybody, unless the metrics have a port of their own.
    case metrics
}

/// A path that the server serves, for one method.
struct Route: Sendable {
    let method: HTTPMethod
    let path: String
    let access: Access
    /// What `/openapi.json` says of it.
    let documentation: RouteDocumentation

    init(_ method: HTTPMethod, _ path: String, _ access: Access, _ documentation: RouteDocumentation) {
        self.method = method
        self.path = path
        self.access = access
        self.documentation = documentation
    }
}

/// Every path that the server serves: one line each.
enum Routes {
    static let table = [
        Route(.get, "/api/v1/lux/device/child-device", .user(childDevice), .childDevice),
        Route(.get, "/api/v1/lux/device/get-all-device", .user(getAllDevice), .getAllDevice),
        Route(.post, "/api/v1/lux/device/set-my-device", .user(setMyDevice), .setMyDevice),
        Route(.patch, "/api/v1/lux/device/un-connect", .user(unConnect), .unConnect),
        Route(.get, "/api/v1/lux/device/check-device", .user(checkDevice), .checkDevice),
        Route(.patch, "/api/v1/lux/device/update-alias", .user(updateAlias), .updateAlias),
        Route(.post, "/api/v1/lux/device/devlog", .user(devlog), .devlog),
        Route(.post, "/api/v1/lux/device/alimtalk", .user(alimtalk), .alimtalk),
        Route(.get, "/api/v1/lux/device/usage-logs", .user(usageLogs), .usageLogs),
        Route(.get, "/healthz", .open(healthz), .healthz),
        Route(.get, "/readyz", .open(readyz), .readyz),
        Route(.get, "/metrics", .metrics, .metrics),
        Route(.get, "/openapi.json", .documentation(.openAPI), .openAPI),
        Route(.get, "/docs", .documentation(.page), .documentationFile(.page, "Swagger UI")),
        Route(.get, "/docs/init.js", .documentation(.start), .documentationFile(.start, "What starts Swagger UI")),
        Route(.get, "/docs/swagger-ui.css", .documentation(.style), .documentationFile(.style, "Its own style")),
        Route(.get, "/docs/swagger-ui-bundle.js", .documentation(.script), .documentationFile(.script, "Its own code")),
    ]

    /// All methods of the table, for `OPTIONS *`.
    static let methods: String = {
        let known = Set(table.map(\.method.rawValue)).union(["HEAD", "OPTIONS"])
        return known.sorted().joined(separator: ", ")
    }()

    /// The rows of the table that a server with this documentation has, and with or without metrics.
    static func served(with files: Set<DocumentationFile>, metrics: Bool) -> [Route] {
        table.filter { route in
            switch route.access {
            case .open, .user: true
            case .documentation(let file): files.contains(file)
            case .metrics: metrics
            }
        }
    }

    /// Finds the routes of ``served(with:metrics:)``.
    static func router(with files: Set<DocumentationFile>, metrics: Bool) -> Router<Access> {
        Router(served(with: files, metrics: metrics).map { ($0.method, $0.path, $0.access) })
    }
}
