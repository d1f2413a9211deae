import CLibPQ
import Glibc

/// A blocking connection with one owner, for commands and checks at the start; never used on an event loop.
///
/// All values are text. Not `Sendable`: it stays on the thread that created it.
package final class PostgresSession {
    private let pg: OpaquePointer

    /// Connects.
    ///
    /// - Parameter connectionString: any libpq connection string or URI.
    /// - Throws: ``PostgresError`` of the kind `.connection`.
    package init(connectionString: String) throws(PostgresError) {
        pg = try ConnectedSession.open(connectionString, settings: []).get().pg
    }

    deinit {
        PQfinish(pg)
    }

    /// The server's version as a number, such as 150018 (`PQserverVersion`).
    package var serverVersion: Int {
        Int(PQserverVersion(pg))
    }

    /// Executes one or more statements without parameters. Several without `begin` are one transaction.
    ///
    /// - Throws: ``PostgresError``.
    package func execute(script: String) throws(PostgresError) {
        PQclear(try check(PQexec(pg, script)))
    }

    /// Executes one statement and reads all its rows.
    ///
    /// - Parameter parameters: `$1`, `$2`, … in text form; `nil` is NULL.
    /// - Throws: ``PostgresError``.
    @discardableResult
    package func query(_ sql: String, _ parameters: [String?] = []) throws(PostgresError) -> [[String?]] {
        let count = Int32(clamping: parameters.count)
        let result = try check(
            withCStrings(parameters) { PQexecParams(pg, sql, count, nil, $0, nil, nil, 0) })
        defer { PQclear(result) }
        return (0..<PQntuples(result)).map { Self.row($0, of: result) }
    }

    /// Prepares a statement without parameters under a name.
    ///
    /// - Throws: ``PostgresError``.
    func prepare(_ name: String, _ sql: String) throws(PostgresError) {
        PQclear(try check(PQprepare(pg, name, sql, 0, nil)))
    }

    /// Executes a statement that was prepared.
    ///
    /// - Returns: its rows.
    /// - Throws: ``PostgresError``.
    func execute(prepared name: String) throws(PostgresError) -> [[String?]] {
        let result = try check(PQexecPrepared(pg, name, 0, nil, nil, nil, 0))
        defer { PQclear(result) }
        return (0..<PQntuples(result)).map { Self.row($0, of: result) }
    }

    /// Executes one statement and passes its rows to the caller one by one as they arrive (libpq manual, "Retrieving Query Results
    /// Row-by-Row"), so that memory does not grow with their number.
    ///
    /// - Parameter parameters: `$1`, `$2`, … in text form; `nil` is NULL.
    /// - Throws: ``PostgresError``, also after rows that were good; what `body` throws, and then no more rows are read.
    package func stream(_ sql: String, _ parameters: [String?], _ body: ([String?]) throws -> Void) throws {
        let count = Int32(clamping: parameters.count)
        guard withCStrings(parameters, { PQsendQueryParams(pg, sql, count, nil, $0, nil, nil, 0) }) == 1,
            PQsetSingleRowMode(pg) == 1
        else { throw PostgresError(connection: pg) }
        do {
            while let result = PQgetResult(pg) {
                guard PQresultStatus(result) == PGRES_SINGLE_TUPLE else {
                    PQclear(try check(result))
                    continue
                }
                defer { PQclear(result) }
                try body(Self.row(0, of: result))
            }
        } catch {
            endStatement()
            throw error
        }
    }

    /// Cancels the statement in flight and reads what the server still sends about it: the next one needs both.
    private func endStatement() {
        if let cancel = PQgetCancel(pg) {
            var message = [CChar](repeating: 0, count: 256)
            PQcancel(cancel, &message, Int32(message.count))
            PQfreeCancel(cancel)
        }
        while let result = PQgetResult(pg) {
            // A COPY returns the same result until its rows have been read.
            if PQresultStatus(result) == PGRES_COPY_OUT {
                var row: UnsafeMutablePointer<CChar>?
                while PQgetCopyData(pg, &row, 0) > 0 { PQfreemem(row) }
            }
            PQclear(result)
        }
    }

    private static func row(_ row: Int32, of result: OpaquePointer) -> [String?] {
        (0..<PQnfields(result)).map { column in
            PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
        }
    }

    /// Executes `body` in a transaction: committed when it returns, rolled back when it throws.
    package func transaction<T>(_ body: () throws -> T) throws -> T {
        try execute(script: PostgresTransaction.begin.sql)
        do {
            let value = try body()
            try execute(script: "commit")
            return value
        } catch {
            try? execute(script: "rollback")
            throw error
        }
    }

    /// Sends rows to a `COPY … FROM STDIN` statement.
    ///
    /// - Parameter next: returns the next piece of data, `nil` at the end.
    /// - Throws: ``PostgresError``.
    package func copyIn(_ sql: String, _ next: () -> [UInt8]?) throws(PostgresError) {
        let started = PQexec(pg, sql)
        guard PQresultStatus(started) == PGRES_COPY_IN else {
            PQclear(try check(started))
            throw PostgresError(kind: .protocolViolation, message: "the statement is not COPY FROM STDIN")
        }
        PQclear(started)
        while let piece = next() {
            let sent = piece.withUnsafeBytes { bytes in
                PQputCopyData(pg, bytes.assumingMemoryBound(to: CChar.self).baseAddress, Int32(clamping: bytes.count))
            }
            guard sent == 1 else { throw PostgresError(connection: pg) }
        }
        guard PQputCopyEnd(pg, nil) == 1 else { throw PostgresError(connection: pg) }
        while let result = PQgetResult(pg) {
            PQclear(try check(result))
        }
    }

    /// Executes a `COPY … TO STDOUT` statement and passes on each row as it arrives, with the line feed at its end.
    ///
    /// - Throws: ``PostgresError``, also after rows that were good; what `body` throws, and then no more rows are read.
    package func copyOut(_ sql: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let started = PQexec(pg, sql)
        guard PQresultStatus(started) == PGRES_COPY_OUT else {
            PQclear(try check(started))
            throw PostgresError(kind: .protocolViolation, message: "the statement is not COPY TO STDOUT")
        }
        PQclear(started)
        do {
            var row: UnsafeMutablePointer<CChar>?
            while case let count = PQgetCopyData(pg, &row, 0), count != -1 {
                guard count > 0, let bytes = row else { throw PostgresError(connection: pg) }
                defer { PQfreemem(bytes) }
                try body(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            }
            while let result = PQgetResult(pg) { PQclear(try check(result)) }
        } catch {
            endStatement()
            throw error
        }
    }

    /// A text as a literal of a statement that takes no parameters, such as `COPY`.
    ///
    /// - Throws: ``PostgresError`` for a text that is not valid in the connection's encoding.
    package func literal(_ text: String) throws(PostgresError) -> String {
        guard let literal = PQescapeLiteral(pg, text, text.utf8.count) else { throw PostgresError(connection: pg) }
        defer { PQfreemem(literal) }
        return String(cString: literal)
    }

    /// Returns a result of a successful status; clears any other and throws.
    private func check(_ result: OpaquePointer?) throws(PostgresError) -> OpaquePointer {
        guard let result else { throw PostgresError(connection: pg) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            return result
        default:
            defer { PQclear(result) }
            throw PostgresError(result: result, statement: nil)
        }
    }
}
