import CLibPQ

/// The rows that a statement answered, in binary format.
///
/// `@unchecked Sendable`: owns a `PGresult` that nothing changes any more; libpq allows reading one from several threads
/// (libpq manual, section "Behavior in Threaded Programs").
package final class PostgresResult: @unchecked Sendable {
    private let result: OpaquePointer

    /// Takes the ownership of a `PGresult` of status `PGRES_TUPLES_OK` or `PGRES_COMMAND_OK`.
    init(owning result: OpaquePointer) {
        self.result = result
    }

    deinit {
        PQclear(result)
    }

    /// The number of rows.
    package var count: Int {
        Int(PQntuples(result))
    }

    /// The first row, or `nil` when there is none.
    package var first: PostgresRow? {
        count > 0 ? PostgresRow(result: self, index: 0) : nil
    }

    /// All rows, in order.
    package var rows: some Sequence<PostgresRow> {
        (0..<Int32(clamping: count)).lazy.map { PostgresRow(result: self, index: $0) }
    }

    /// The command that was completed, such as `COMMIT` or `UPDATE 1` (`PQcmdStatus`).
    var commandTag: String {
        PQcmdStatus(result).map { String(cString: $0) } ?? ""
    }

    fileprivate func value(_ row: Int32, _ column: Int) throws(PostgresError) -> UnsafeRawBufferPointer? {
        guard column >= 0, column < Int(PQnfields(result)) else {
            throw PostgresError(kind: .protocolViolation, message: "no column \(column) in the result")
        }
        let column = Int32(column)
        if PQgetisnull(result, row, column) == 1 { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    }
}

/// One row of a ``PostgresResult``. Columns are counted from 0.
///
/// NULL is `nil` in the accessors that end in `OrNull` and an error in the others; a missing column or a value of
/// another width is an error in all.
package struct PostgresRow {
    fileprivate let result: PostgresResult
    fileprivate let index: Int32

    /// A `bigint`.
    package func int8(_ column: Int) throws(PostgresError) -> Int64 {
        try notNull(int8OrNull(column), column)
    }

    /// A `bigint` or NULL.
    package func int8OrNull(_ column: Int) throws(PostgresError) -> Int64? {
        guard let bytes = try result.value(index, column) else { return nil }
        guard bytes.count == 8 else {
            throw PostgresError(kind: .protocolViolation, message: "column \(column) is not 8 bytes wide")
        }
        return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
    }

    /// A `text`.
    package func text(_ column: Int) throws(PostgresError) -> String {
        try notNull(textOrNull(column), column)
    }

    /// A `text` or NULL.
    package func textOrNull(_ column: Int) throws(PostgresError) -> String? {
        guard let bytes = try result.value(index, column) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A `timestamptz`, as microseconds since the Unix epoch; `infinity` and `-infinity` are the ends of the range.
    package func timestamptz(_ column: Int) throws(PostgresError) -> Int64 {
        try notNull(timestamptzOrNull(column), column)
    }

    /// A `timestamptz` or NULL; see ``timestamptz(_:)``.
    package func timestamptzOrNull(_ column: Int) throws(PostgresError) -> Int64? {
        guard let time = try int8OrNull(column), time != .max, time != .min else { return try int8OrNull(column) }
        let (unix, overflow) = time.addingReportingOverflow(postgresEpoch)
        return overflow ? .max : unix
    }

    private func notNull<Value>(_ value: Value?, _ column: Int) throws(PostgresError) -> Value {
        guard let value else {
            throw PostgresError(kind: .protocolViolation, message: "column \(column) is NULL")
        }
        return value
    }
}
