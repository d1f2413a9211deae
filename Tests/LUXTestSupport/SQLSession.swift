import CLibPQ
import Glibc

/// A blocking database session for reading what the server wrote and for writing what it reads. One owner.
///
/// Straight over libpq, so that an error in the product's own wrapper cannot hide itself.
package final class SQLSession {
    /// The error of the database: the SQLSTATE (empty when there was no response) and the message.
    package struct Failure: Error, CustomStringConvertible {
        package let sqlState: String
        package let description: String
    }

    /// PG_DIAG_SQLSTATE, which C spells as a character.
    private static let sqlStateField = Int32(UInt8(ascii: "C"))

    private let connection: OpaquePointer

    package init(_ connectionString: String) throws {
        guard let connection = PQconnectdb(connectionString) else {
            throw Failure(sqlState: "", description: "PQconnectdb: out of memory")
        }
        guard PQstatus(connection) == CONNECTION_OK else {
            let message = String(cString: PQerrorMessage(connection))
            PQfinish(connection)
            throw Failure(sqlState: "", description: message)
        }
        self.connection = connection
        // Notices ("table does not exist, skipping") would land on the test's standard error.
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
    }

    deinit { PQfinish(connection) }

    /// Runs one statement with parameters in text form and returns its rows in text form.
    @discardableResult
    package func query(_ sql: String, _ parameters: [String?] = []) throws -> [[String?]] {
        let copies = parameters.map { $0.flatMap { strdup($0) } }
        defer { copies.forEach { free($0) } }
        let values: [UnsafePointer<CChar>?] = copies.map { $0.map { UnsafePointer($0) } }
        return try rows(PQexecParams(connection, sql, Int32(values.count), nil, values, nil, nil, 0), of: sql)
    }

    /// Runs several statements in one message, without parameters; returns the last one's rows.
    @discardableResult
    package func script(_ sql: String) throws -> [[String?]] {
        try rows(PQexec(connection, sql), of: sql)
    }

    /// The first column of the first row.
    package func value(_ sql: String, _ parameters: [String?] = []) throws -> String? {
        try query(sql, parameters).first?.first ?? nil
    }

    /// The first column of the first row as an integer; 0 when there is none.
    package func integer(_ sql: String, _ parameters: [String?] = []) throws -> Int64 {
        try value(sql, parameters).flatMap { Int64($0) } ?? 0
    }

    private func rows(_ result: OpaquePointer?, of sql: String) throws -> [[String?]] {
        defer { PQclear(result) }
        let status = PQresultStatus(result)
        guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK else {
            let code = PQresultErrorField(result, Self.sqlStateField).map { String(cString: $0) } ?? ""
            throw Failure(sqlState: code, description: "\(String(cString: PQerrorMessage(connection))) in: \(sql)")
        }
        return (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
            }
        }
    }
}
