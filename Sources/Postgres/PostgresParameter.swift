/// A typed parameter of a statement, sent in PostgreSQL's binary format.
///
/// Values reach the server only this way: SQL text is a literal of the program and never composed from values.
package enum PostgresParameter: Sendable {
    /// `bigint`
    case int8(Int64?)
    /// `text`; must not contain NUL, which PostgreSQL rejects with SQLSTATE 22021.
    case text(String?)
    /// `timestamptz`, as microseconds since the Unix epoch.
    case timestamptz(Int64?)
    /// `bigint[]`
    case int8Array([Int64?])
    /// `text[]`
    case textArray([String?])
    /// `integer[]`
    case int4Array([Int32?])
    /// `smallint[]`
    case int2Array([Int16?])
    /// `timestamptz[]`, as microseconds since the Unix epoch.
    case timestamptzArray([Int64?])
    /// `jsonb[]`, each the UTF-8 bytes of a JSON text.
    case jsonbArray([[UInt8]])
}

/// The object identifiers of the built-in types that parameters use (`pg_type.dat`).
enum TypeOID {
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let timestamptz: UInt32 = 1184
    static let jsonb: UInt32 = 3802
    static let int2Array: UInt32 = 1005
    static let int4Array: UInt32 = 1007
    static let int8Array: UInt32 = 1016
    static let textArray: UInt32 = 1009
    static let timestamptzArray: UInt32 = 1185
    static let jsonbArray: UInt32 = 3807
}

/// Microseconds from the Unix epoch to PostgreSQL's own, 2000-01-01T00:00:00Z.
let postgresEpoch: Int64 = 946_684_800_000_000

extension PostgresParameter {
    /// The array of some scalar values of one type.
    init(array values: [PostgresParameter]) {
        switch values.first {
        case .text:
            self = .textArray(values.map { if case .text(let value) = $0 { value } else { nil } })
        case .timestamptz:
            self = .timestamptzArray(values.map { if case .timestamptz(let value) = $0 { value } else { nil } })
        default:
            self = .int8Array(values.map { if case .int8(let value) = $0 { value } else { nil } })
        }
    }

    /// The type that the parameter is declared with when its statement is prepared.
    var typeOID: UInt32 {
        switch self {
        case .int8: TypeOID.int8
        case .text: TypeOID.text
        case .timestamptz: TypeOID.timestamptz
        case .int8Array: TypeOID.int8Array
        case .textArray: TypeOID.textArray
        case .int4Array: TypeOID.int4Array
        case .int2Array: TypeOID.int2Array
        case .timestamptzArray: TypeOID.timestamptzArray
        case .jsonbArray: TypeOID.jsonbArray
        }
    }

    /// Appends the value's binary form; `false` when it is NULL and has none.
    func encode(into bytes: inout [UInt8]) -> Bool {
        switch self {
        case .int8(let value):
            guard let value else { return false }
            bytes.append(bigEndian: value)
        case .text(let value):
            guard let value else { return false }
            bytes.append(contentsOf: value.utf8)
        case .timestamptz(let value):
            guard let value else { return false }
            bytes.append(bigEndian: postgresTime(value))
        case .int8Array(let values):
            bytes.append(array: values, of: TypeOID.int8) { $0.append(sized: $1) }
        case .textArray(let values):
            bytes.append(array: values, of: TypeOID.text) { bytes, value in
                bytes.append(bigEndian: Int32(clamping: value.utf8.count))
                bytes.append(contentsOf: value.utf8)
            }
        case .int4Array(let values):
            bytes.append(array: values, of: TypeOID.int4) { $0.append(sized: $1) }
        case .int2Array(let values):
            bytes.append(array: values, of: TypeOID.int2) { $0.append(sized: $1) }
        case .timestamptzArray(let values):
            bytes.append(array: values, of: TypeOID.timestamptz) { $0.append(sized: postgresTime($1)) }
        case .jsonbArray(let values):
            bytes.append(array: values, of: TypeOID.jsonb) { bytes, value in
                bytes.append(bigEndian: Int32(clamping: value.count + 1))
                bytes.append(1)  // the version of jsonb's binary format
                bytes.append(contentsOf: value)
            }
        }
        return true
    }
}

private func postgresTime(_ unixMicroseconds: Int64) -> Int64 {
    let (time, overflow) = unixMicroseconds.subtractingReportingOverflow(postgresEpoch)
    return overflow ? .min : time
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append<Value: FixedWidthInteger>(sized value: Value) {
        append(bigEndian: Int32(Value.bitWidth / 8))
        append(bigEndian: value)
    }

    /// The binary form of a one-dimensional array (`array_recv` in PostgreSQL's `arrayfuncs.c`): dimensions, whether
    /// there are NULLs, element type, length, lower bound, then each element after its length.
    fileprivate mutating func append<Value>(
        array elements: [Value?], of type: UInt32, _ appendElement: (inout [UInt8], Value) -> Void
    ) {
        append(bigEndian: Int32(elements.isEmpty ? 0 : 1))
        append(bigEndian: Int32(elements.contains { $0 == nil } ? 1 : 0))
        append(bigEndian: type)
        guard !elements.isEmpty else { return }
        append(bigEndian: Int32(clamping: elements.count))
        append(bigEndian: Int32(1))
        for element in elements {
            if let element {
                appendElement(&self, element)
            } else {
                append(bigEndian: Int32(-1))
            }
        }
    }
}
