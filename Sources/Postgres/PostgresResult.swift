import CLibPQ

/// The rows that a statement returned, in binary format.
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

    /// The number of columns.
    var columnCount: Int {
        Int(PQnfields(result))
    }

    /// A row by its index, which must exist.
    func row(_ index: Int) -> PostgresRow {
        PostgresRow(result: self, index: Int32(truncatingIfNeeded: index))
    }

    /// The first row, or `nil` when there is none.
    package var first: PostgresRow? {
        count > 0 ? row(0) : nil
    }

    /// All rows, in order.
    package var rows: some Sequence<PostgresRow> {
        (0..<count).lazy.map { self.row($0) }
    }

    /// The command that was completed, such as `COMMIT` or `UPDATE 1` (`PQcmdStatus`).
    var commandTag: String {
        PQcmdStatus(result).map { String(cString: $0) } ?? ""
    }

    /// - Throws: ``PostgresError`` of the kind `.protocolViolation` when there is no such column.
    fileprivate func value(_ row: Int32, _ column: Int) throws(PostgresError) -> UnsafeRawBufferPointer? {
        guard column >= 0, column < Int(PQnfields(result)) else {
            throw PostgresError(kind: .protocolViolation, message: "no column \(column) in the result")
        }
        let column = Int32(column)
        if PQgetisnull(result, row, column) == 1 { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    }

    fileprivate func type(of column: Int) -> UInt32 {
        UInt32(PQftype(result, Int32(truncatingIfNeeded: column)))
    }
}

/// Some consecutive rows of a ``PostgresResult``.
package struct PostgresRows: Sendable {
    private let result: PostgresResult
    private let range: Range<Int>

    init(_ result: PostgresResult, _ range: Range<Int>) {
        self.result = result
        self.range = range
    }

    /// The number of rows.
    package var count: Int { range.count }

    /// The first row, or `nil` when there is none.
    package var first: PostgresRow? {
        range.isEmpty ? nil : result.row(range.lowerBound)
    }

    /// All rows, in order.
    package var rows: some Sequence<PostgresRow> {
        range.lazy.map { [result] in result.row($0) }
    }
}

/// One row of a ``PostgresResult``. Columns are counted from 0.
///
/// NULL is `nil` in the accessors that end in `OrNull` and an error in the others; a missing column or a value of
/// another width is an error in every one.
package struct PostgresRow {
    fileprivate let result: PostgresResult
    fileprivate let index: Int32

    /// An integer of any width, so that a column may become narrower or wider while the program runs.
    ///
    /// - Throws: ``PostgresError`` of the kind `.protocolViolation`, as all accessors.
    package func int8(_ column: Int) throws(PostgresError) -> Int64 {
        try notNull(int8OrNull(column), column)
    }

    /// An integer of any width, or NULL.
    package func int8OrNull(_ column: Int) throws(PostgresError) -> Int64? {
        guard let bytes = try result.value(index, column) else { return nil }
        if bytes.count == 8 { return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)) }
        switch result.type(of: column) {
        case TypeOID.int4 where bytes.count == 4:
            return Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        case TypeOID.int2 where bytes.count == 2:
            return Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
        default:
            throw PostgresError(kind: .protocolViolation, message: "column \(column) is not an integer")
        }
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

/// Reads the columns of a row from left to right.
package struct PostgresColumns {
    private let row: PostgresRow
    private var next = 0

    /// Begins at the first column.
    package init(_ row: PostgresRow) {
        self.row = row
    }

    private mutating func advance() -> Int {
        defer { next += 1 }
        return next
    }

    /// - Throws: ``PostgresError``, as all of them.
    package mutating func int8() throws(PostgresError) -> Int64 { try row.int8(advance()) }

    package mutating func int8OrNull() throws(PostgresError) -> Int64? { try row.int8OrNull(advance()) }

    package mutating func text() throws(PostgresError) -> String { try row.text(advance()) }

    package mutating func textOrNull() throws(PostgresError) -> String? { try row.textOrNull(advance()) }

    package mutating func timestamptz() throws(PostgresError) -> Int64 { try row.timestamptz(advance()) }
}
