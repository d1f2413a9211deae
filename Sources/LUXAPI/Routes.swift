import HTTP
import LUXOpenAPI

/// Access level and handler of a route.
enum Access: Sendable {
    /// Anybody.
    case open(@Sendable (OpenRequest) async throws -> HTTPResponse)
    /// The holder of a valid access token.
    case user(@Sendable (DeviceRequest) async throws -> HTTPResponse)
    /// Anybody, where the documentation is served and contains this file.
    case documentation(DocumentationFile)
    /// Anybody, unless the metrics have a port of their own.
    case metrics
}

/// A path that the server serves, for one method.
struct Route: Sendable {
    let method: HTTPMethod
    let path: String
    let access: Access
    /// Its description in `/openapi.json`.
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
    static func route(to endpoint: Endpoint) -> Route {
        switch endpoint {
        case .childDevice: Route(.get, endpoint.path, .user(childDevice), .childDevice)
        case .getAllDevice: Route(.get, endpoint.path, .user(getAllDevice), .getAllDevice)
        case .setMyDevice: Route(.post, endpoint.path, .user(setMyDevice), .setMyDevice)
        case .unConnect: Route(.patch, endpoint.path, .user(unConnect), .unConnect)
        case .checkDevice: Route(.get, endpoint.path, .user(checkDevice), .checkDevice)
        case .updateAlias: Route(.patch, endpoint.path, .user(updateAlias), .updateAlias)
        case .devlog: Route(.post, endpoint.path, .user(devlog), .devlog)
        case .alimtalk: Route(.post, endpoint.path, .user(alimtalk), .alimtalk)
        case .usageLogs: Route(.get, endpoint.path, .user(usageLogs), .usageLogs)
        }
    }

    static let table =
        Endpoint.allCases.map(route) + [
            Route(.get, "/healthz", .open(healthz), .healthz),
            Route(.get, "/readyz", .open(readyz), .readyz),
            Route(.get, "/metrics", .metrics, .metrics),
            Route(.get, "/openapi.json", .documentation(.openAPI), .openAPI),
            Route(.get, "/docs", .documentation(.page), .documentationFile(.page, "Swagger UI")),
            Route(.get, "/docs/init.js", .documentation(.start), .documentationFile(.start, "What starts Swagger UI")),
            Route(.get, "/docs/swagger-ui.css", .documentation(.style), .documentationFile(.style, "Its own style")),
            Route(
                .get, "/docs/swagger-ui-bundle.js", .documentation(.script), .documentationFile(.script, "Its own code")
            ),
        ]

    /// All methods of the table, for `OPTIONS *`.
    static let methods: String = {
        let known = Set(table.map(\.method.rawValue)).union(["HEAD", "OPTIONS"])
        return known.sorted().joined(separator: ", ")
    }()

    /// The routes that a server with this documentation serves, with or without metrics.
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
