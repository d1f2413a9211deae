import JSON
import LUX

/// A member of a body as it was sent, not yet validated.
///
/// Errors are reported in the order of the API page's tables, not of the bytes, so fields are checked when all are read.
enum JSONField<Value> {
    case absent
    case null
    case wrongType
    /// It is or contains a string with a NUL character.
    case nul
    case value(Value)

    /// The value of a required member.
    func required(_ name: @autoclosure () -> String, _ type: String) throws(FieldError) -> Value {
        switch self {
        case .value(let value): return value
        case .absent, .null: throw FieldError(field: name(), message: "is required")
        case .wrongType: throw FieldError(field: name(), message: "must be \(type)")
        case .nul: throw .nul(in: name())
        }
    }

    /// The value of an optional member; `nil` when it is absent or `null`.
    func optional(_ name: @autoclosure () -> String, _ type: String) throws(FieldError) -> Value? {
        switch self {
        case .value(let value): return value
        case .absent, .null: return nil
        case .wrongType: throw FieldError(field: name(), message: "must be \(type)")
        case .nul: throw .nul(in: name())
        }
    }
}

extension JSONField<Int64> {
    /// The value of a required member that is an integer within a range.
    func required(_ name: @autoclosure () -> String, in range: ClosedRange<Int64>) throws(FieldError) -> Int64 {
        try Self.check(required(name(), "an integer"), name, range)
    }

    /// The value of an optional member that is an integer within a range.
    func optional(_ name: @autoclosure () -> String, in range: ClosedRange<Int64>) throws(FieldError) -> Int64? {
        guard let value = try optional(name(), "an integer") else { return nil }
        return try Self.check(value, name, range)
    }

    private static func check(
        _ value: Int64, _ name: () -> String, _ range: ClosedRange<Int64>
    ) throws(FieldError) -> Int64 {
        if value < range.lowerBound {
            throw FieldError(field: name(), message: "must be \(range.lowerBound) or more")
        }
        if value > range.upperBound {
            throw FieldError(field: name(), message: "must be at most \(range.upperBound)")
        }
        return value
    }
}

extension JSONReader {
    mutating func integerField() throws(JSONError) -> JSONField<Int64> {
        switch try kind() {
        case .number: return try number().map { .value($0) } ?? .wrongType
        case .null: return try skipped(.null)
        default: return try skipped(.wrongType)
        }
    }

    mutating func stringField() throws(JSONError) -> JSONField<String> {
        switch try kind() {
        case .string:
            let before = nulCount
            let string = try string()
            return nulCount == before ? .value(string.value) : .nul
        case .null: return try skipped(.null)
        default: return try skipped(.wrongType)
        }
    }

    mutating func skipped<Value>(_ field: JSONField<Value>) throws(JSONError) -> JSONField<Value> {
        try skipValue()
        return field
    }
}

extension FieldError {
    /// A NUL character in a string, which PostgreSQL cannot store.
    static func nul(in field: String) -> FieldError {
        FieldError(field: field, message: "must not contain a NUL character")
    }

    /// A number outside the limits for all numbers of a body.
    ///
    /// - Parameter offset: where it begins.
    static func number(at offset: Int, in body: [UInt8]) -> FieldError {
        FieldError(
            field: JSONPath.ofNumber(at: offset, in: body) ?? "body",
            message: "must be within the range of a double, with at most 400 characters and an exponent of at most 400")
    }

    /// A body that is not JSON.
    init(_ error: JSONError) {
        let message =
            switch error.kind {
            case .syntax: "must be valid JSON (it is not at byte \(error.offset))"
            case .tooDeep: "must not be nested deeper than \(JSONReader.depthLimit) levels"
            }
        self.init(field: "body", message: message)
    }
}
