/// Finds the route of a request: one table of methods and paths.
package struct Router<Route: Sendable>: Sendable {
    /// The result of looking up a method and a path.
    package enum Match {
        /// A route and its pattern.
        case found(Route, pattern: String)
        /// The path exists, but not for this method; the value lists its methods.
        case methodNotAllowed(allow: [HTTPMethod], pattern: String)
        /// No such path.
        case notFound
    }

    @usableFromInline package let table: RouteTable
    /// The routes in the order of the table that they were created from.
    @usableFromInline package let routes: [Route]

    /// Creates a router. Paths are compared whole and decoded.
    package init(_ table: [(HTTPMethod, String, Route)]) {
        self.table = RouteTable(table.map { ($0.0, $0.1) })
        routes = table.map(\.2)
    }

    /// The route of a request. HEAD is served by the route of GET (RFC 9110 section 9.3.2).
    ///
    /// Inlined, so that its generic types are known where it is called.
    @inlinable package func match(method: HTTPMethod, path: String) -> Match {
        guard let entry = table.entry(of: path) else { return .notFound }
        guard let index = table.route(of: method, in: entry) else {
            return .methodNotAllowed(allow: table.methods(of: entry), pattern: table.path(of: entry))
        }
        return .found(routes[index], pattern: table.path(of: entry))
    }
}

/// Paths and their methods, without what they lead to.
package struct RouteTable: Sendable {
    private struct Entry: Sendable {
        var path: String
        var length: Int
        var routes: [(method: HTTPMethod, index: Int)] = []
    }

    /// So few that comparing lengths is faster than hashing.
    private var entries: [Entry] = []

    init(_ table: [(method: HTTPMethod, path: String)]) {
        for (index, (method, path)) in table.enumerated() {
            if let entry = entry(of: path) {
                entries[entry].routes.append((method, index))
            } else {
                entries.append(Entry(path: path, length: path.utf8.count, routes: [(method, index)]))
            }
        }
    }

    package func entry(of path: String) -> Int? {
        let length = path.utf8.count
        for index in entries.indices where entries[index].length == length && entries[index].path == path {
            return index
        }
        return nil
    }

    package func path(of entry: Int) -> String { entries[entry].path }

    package func route(of method: HTTPMethod, in entry: Int) -> Int? {
        let wanted = method == .head ? .get : method
        for route in entries[entry].routes where route.method == wanted { return route.index }
        return nil
    }

    package func methods(of entry: Int) -> [HTTPMethod] {
        entries[entry].routes.flatMap { $0.method == .get ? [.get, .head] : [$0.method] }
    }
}
