/// Finds the route of a request: one table of methods and paths.
package struct Router<Route: Sendable>: Sendable {
    /// What a method and a path lead to.
    package enum Match {
        /// A route and its pattern.
        case found(Route, pattern: String)
        /// The path exists, but not for this method; those that it has.
        case methodNotAllowed(allow: [HTTPMethod], pattern: String)
        /// No such path.
        case notFound
    }

    private struct Entry: Sendable {
        var path: String
        var routes: [(method: HTTPMethod, route: Route)]
    }

    /// Few enough that comparing lengths finds the path sooner than hashing it.
    private let entries: [Entry]

    /// Creates a router. Paths are compared whole and decoded.
    package init(_ table: [(HTTPMethod, String, Route)]) {
        var entries: [String: Entry] = [:]
        for (method, path, route) in table {
            entries[path, default: Entry(path: path, routes: [])].routes.append((method, route))
        }
        self.entries = Array(entries.values)
    }

    /// The route of a request. HEAD is served by the route of GET (RFC 9110 section 9.3.2).
    package func match(method: HTTPMethod, path: String) -> Match {
        let length = path.utf8.count
        guard let entry = entries.first(where: { $0.path.utf8.count == length && $0.path == path }) else {
            return .notFound
        }
        let wanted = method == .head ? .get : method
        if let found = entry.routes.first(where: { $0.method == wanted }) {
            return .found(found.route, pattern: entry.path)
        }
        let allow = entry.routes.flatMap { $0.method == .get ? [.get, .head] : [$0.method] }
        return .methodNotAllowed(allow: allow, pattern: entry.path)
    }
}
