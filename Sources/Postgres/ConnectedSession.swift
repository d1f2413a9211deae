import CLibPQ
import Concurrency
import EventLoop
import Glibc

/// A connection that was opened on one thread and is passed to the loop that will own it.
///
/// `@unchecked Sendable`: exactly one owner at a time; libpq binds a `PGconn` to no thread.
struct ConnectedSession: @unchecked Sendable {
    let pg: OpaquePointer

    /// Connects and configures the session, blocking (`PQconnectdbParams` with an expanded `dbname`).
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
        if !settings.isEmpty, let error = set(settings, on: pg) {
            PQfinish(pg)
            return .failure(error)
        }
        return .success(ConnectedSession(pg: pg))
    }

    /// Closes it unused.
    func finish() {
        PQfinish(pg)
    }

    private static let programName =
        CommandLine.arguments.first?.split(separator: "/").last.map { String($0) } ?? ""

    /// A connection string overrides what precedes it, so these are defaults only. The keep-alives and the user timeout
    /// end the connection to a server that has vanished within half a minute; the kernel's defaults take a quarter of an hour
    /// and more. GSSAPI encryption is off unless it is asked for: to find out whether there are Kerberos credentials, libpq calls a library
    /// whose mutexes are gone when the process exits while a thread still connects, which would abort it.
    private static func connect(_ connectionString: String) -> OpaquePointer? {
        let parameters =
            [
                ("connect_timeout", "3"), ("fallback_application_name", programName), ("client_encoding", "UTF8"),
                ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
                ("tcp_user_timeout", "20000"),
            ] + (isEncryptionSetElsewhere(connectionString) ? [] : [("gssencmode", "disable")]) + [
                ("dbname", connectionString)
            ]
        return withCStrings(parameters.map(\.0)) { keywords in
            withCStrings(parameters.map(\.1)) { values in PQconnectdbParams(keywords, values, 1) }
        }
    }

    /// Whether something else than the connection string may set `gssencmode`, which a default here would override.
    private static func isEncryptionSetElsewhere(_ connectionString: String) -> Bool {
        getenv("PGGSSENCMODE") != nil || getenv("PGSERVICE") != nil || connectionString.contains("service=")
    }

    /// Sets up the session in one round trip. Not in the packet that starts it: poolers reject `options` there. Not by
    /// `PQexecParams`, which would wait forever if the server stopped responding.
    private static func set(_ settings: [(name: String, value: String)], on pg: OpaquePointer) -> PostgresError? {
        let sql = """
            select set_config(name, value, false)
            from unnest(string_to_array($1, E'\n'), string_to_array($2, E'\n')) as s (name, value)
            """
        let lists = [settings.map(\.name), settings.map(\.value)].map { $0.joined(separator: "\n") }
        guard withCStrings(lists, { PQsendQueryParams(pg, sql, 2, nil, $0, nil, nil, 0) }) == 1 else {
            return PostgresError(connection: pg)
        }
        let deadline = MonotonicTime.now() + .seconds(5)
        while PQisBusy(pg) == 1 {
            let left = (deadline - .now()).wholeNanoseconds / 1_000_000
            var descriptor = pollfd(fd: PQsocket(pg), events: Int16(POLLIN), revents: 0)
            guard left > 0, poll(&descriptor, 1, Int32(clamping: left)) != 0 else {
                return PostgresError(kind: .connection, message: "the session was not established in time")
            }
            guard PQconsumeInput(pg) == 1 else { return PostgresError(connection: pg) }
        }
        var error: PostgresError?
        while let result = PQgetResult(pg) {
            if PQresultStatus(result) != PGRES_TUPLES_OK {
                error = PostgresError(result: result, statement: "set_config")
            }
            PQclear(result)
        }
        return error
    }
}
