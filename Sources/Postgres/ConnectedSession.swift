import CLibPQ

/// A connection that was made on one thread and goes to the loop that will own it.
///
/// `@unchecked Sendable`: exactly one owner at a time; libpq binds a `PGconn` to no thread.
struct ConnectedSession: @unchecked Sendable {
    let pg: OpaquePointer

    /// Connects and sets up the session, blocking (`PQconnectdbParams` with an expanded `dbname`).
    static func open(
        _ connectionString: String, settings: [(name: String, value: String)]
    ) -> Result<ConnectedSession, PostgresError> {
        guard let pg = connect(connectionString) else {
            return .failure(PostgresError(kind: .connection, message: "out of memory"))
        }
        guard PQstatus(pg) == CONNECTION_OK else {
            defer { PQfinish(pg) }
            return .failure(PostgresError(connection: pg))
        }
        PQsetNoticeReceiver(pg, { _, _ in }, nil)
        for setting in settings {
            if let error = set(setting.name, setting.value, on: pg) {
                PQfinish(pg)
                return .failure(error)
            }
        }
        return .success(ConnectedSession(pg: pg))
    }

    /// Closes it unused.
    func finish() {
        PQfinish(pg)
    }

    /// A connection string overrides what stands before it, so these are defaults only.
    private static func connect(_ connectionString: String) -> OpaquePointer? {
        let parameters = [
            ("connect_timeout", "5"), ("fallback_application_name", "lux-server"), ("client_encoding", "UTF8"),
            ("dbname", connectionString),
        ]
        return withCStrings(parameters.map(\.0)) { keywords in
            withCStrings(parameters.map(\.1)) { values in PQconnectdbParams(keywords, values, 1) }
        }
    }

    private static func set(_ name: String, _ value: String, on pg: OpaquePointer) -> PostgresError? {
        let result = withCStrings([name, value]) { values in
            PQexecParams(pg, "select set_config($1, $2, false)", 2, nil, values, nil, nil, 0)
        }
        guard let result else { return PostgresError(connection: pg) }
        defer { PQclear(result) }
        return PQresultStatus(result) == PGRES_TUPLES_OK ? nil : PostgresError(result: result, statement: "set_config")
    }
}
