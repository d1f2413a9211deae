import Bytes

/// A strict reader of JSON texts (RFC 8259) over bytes: one pass, no tree.
///
/// The caller walks the text with ``object(_:)`` and ``array(_:)`` and pulls or skips each value; whatever is skipped is
/// checked too. Of members with one name the caller sees all, so keeping the last one means that the last one wins.
/// Decisions where the RFC leaves room: no byte order mark, no lone surrogates, at most ``depthLimit`` nested values.
/// A NUL character, which a string may contain as an escape, is counted, since PostgreSQL cannot store it.
package struct JSONReader {
    /// How deeply arrays and objects may be nested.
    package static let depthLimit = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var depth = 0

    /// The number of NUL characters in the strings so far, names of members included.
    package private(set) var nulCount = 0

    /// How many numbers so far have an exponent.
    package private(set) var exponentCount = 0

    /// Where the first number begins that breaks `JSONNumberLimits`, since the caller has set this to `nil`.
    package var badNumber: Int?

    /// The offset of the next byte.
    package private(set) var offset = 0

    /// Reads one JSON text.
    ///
    /// - Parameter body: has to consume exactly one value.
    /// - Throws: ``JSONError``, also when anything but white space follows the value.
    package static func read<T>(
        _ bytes: [UInt8], _ body: (inout JSONReader) throws(JSONError) -> T
    ) throws(JSONError) -> T {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw JSONError(kind: .syntax, offset: error.byteOffsets.lowerBound)
        }
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<T, JSONError> in
            var reader = JSONReader(bytes: buffer)
            do throws(JSONError) {
                reader.skipWhiteSpace()
                let value = try body(&reader)
                reader.skipWhiteSpace()
                guard reader.offset == buffer.count else { throw reader.error }
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    private var error: JSONError { JSONError(kind: .syntax, offset: offset) }

    /// The byte at the next offset; 0, which no JSON text has there, at the end.
    private var current: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    private mutating func skipWhiteSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(JSONError) {
        guard offset < bytes.count, UInt32(bytes[offset]) == character.value else { throw error }
        offset += 1
    }

    private mutating func expect(literal: StaticString) throws(JSONError) {
        let count = literal.utf8CodeUnitCount
        guard bytes.count - offset >= count else { throw error }
        for index in 0..<count where bytes[offset + index] != literal.utf8Start[index] { throw error }
        offset += count
    }

    // MARK: Structure

    /// The kinds of JSON value, distinguished by their first byte.
    package enum Kind: Sendable {
        case null, bool, number, string, array, object
    }

    /// The kind of the next value.
    ///
    /// - Throws: ``JSONError`` when no value begins here.
    package func kind() throws(JSONError) -> Kind {
        switch current {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        default: throw error
        }
    }

    /// Reads an object.
    ///
    /// - Parameter member: called for each member; has to consume its value.
    package mutating func object(
        _ member: (JSONString, inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        try enter("{")
        if current == UInt8(ascii: "}") {
            offset += 1
            depth -= 1
            return
        }
        while true {
            let name = try string()
            skipWhiteSpace()
            try expect(":")
            skipWhiteSpace()
            try member(name, &self)
            skipWhiteSpace()
            if current == UInt8(ascii: "}") { break }
            try expect(",")
            skipWhiteSpace()
        }
        offset += 1
        depth -= 1
    }

    /// Reads an array.
    ///
    /// - Parameter element: called for each element; has to consume it.
    package mutating func array(_ element: (inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        try enter("[")
        if current == UInt8(ascii: "]") {
            offset += 1
            depth -= 1
            return
        }
        while true {
            try element(&self)
            skipWhiteSpace()
            if current == UInt8(ascii: "]") { break }
            try expect(",")
            skipWhiteSpace()
        }
        offset += 1
        depth -= 1
    }

    private mutating func enter(_ bracket: Unicode.Scalar) throws(JSONError) {
        guard depth < Self.depthLimit else { throw JSONError(kind: .tooDeep, offset: offset) }
        try expect(bracket)
        depth += 1
        skipWhiteSpace()
    }

    /// Checks and passes over a value of any kind.
    package mutating func skipValue() throws(JSONError) {
        switch try kind() {
        case .object: try object { (_, reader) throws(JSONError) in try reader.skipValue() }
        case .array: try array { (reader) throws(JSONError) in try reader.skipValue() }
        case .string: _ = try string()
        case .number: _ = try number()
        case .null: try null()
        case .bool: try current == UInt8(ascii: "t") ? expect(literal: "true") : expect(literal: "false")
        }
    }

    // MARK: Scalars

    /// Reads `null`.
    package mutating func null() throws(JSONError) {
        try expect(literal: "null")
    }

    /// Reads a number.
    ///
    /// - Returns: its value when it is written as an integer, without fraction and exponent, in the range of `Int64`.
    package mutating func number() throws(JSONError) -> Int64? {
        let start = offset
        let negative = current == UInt8(ascii: "-")
        if negative { offset += 1 }
        var value: Int64? = 0
        let first = offset
        while let digit = digit() {
            // Summed on the negative side, which reaches one further.
            value = value.flatMap { Self.appending(digit, to: $0) }
        }
        guard offset > first, bytes[first] != UInt8(ascii: "0") || offset == first + 1 else { throw error }
        if current == UInt8(ascii: ".") {
            offset += 1
            value = nil
            try digits()
        }
        var exponentStart: Int?
        if current | 0x20 == UInt8(ascii: "e") {
            exponentStart = offset - start
            exponentCount += 1
            offset += 1
            value = nil
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { offset += 1 }
            try digits()
        }
        if badNumber == nil, exponentStart != nil || offset - start > JSONNumberLimits.safeLength,
            JSONNumberLimits.rejects(
                UnsafeBufferPointer(rebasing: bytes[start..<offset]), exponentStart: exponentStart)
        {
            badNumber = start
        }
        guard let value else { return nil }
        if negative { return value }
        return value == .min ? nil : -value
    }

    /// Reads a number with its text, for those who want more than integers.
    package mutating func numberText() throws(JSONError) -> (text: String, integer: Int64?) {
        let start = offset
        let integer = try number()
        return (String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<offset]), as: UTF8.self), integer)
    }

    private static func appending(_ digit: UInt8, to value: Int64) -> Int64? {
        let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tenfold.subtractingReportingOverflow(Int64(digit))
        return overflow || carry ? nil : sum
    }

    private mutating func digit() -> UInt8? {
        let byte = current
        guard byte.isDigit else { return nil }
        offset += 1
        return byte - UInt8(ascii: "0")
    }

    private mutating func digits() throws(JSONError) {
        guard digit() != nil else { throw error }
        while digit() != nil {}
    }

    /// Reads a string and checks all of it; its characters are decoded only on request.
    package mutating func string() throws(JSONError) -> JSONString {
        try expect("\"")
        let start = offset
        var hasEscapes = false
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                let raw = UnsafeBufferPointer(rebasing: bytes[start..<offset])
                offset += 1
                return JSONString(raw: raw, hasEscapes: hasEscapes)
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try escape()
            } else if byte < 0x20 {
                throw error
            } else {
                offset += 1
            }
        }
        throw error
    }

    private mutating func escape() throws(JSONError) {
        let start = offset
        offset += 1
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            offset += 1
        case UInt8(ascii: "u"):
            offset += 1
            let unit = try hexadecimalUnit()
            if unit == 0 { nulCount += 1 }
            guard UTF16.isLeadSurrogate(unit) || UTF16.isTrailSurrogate(unit) else { return }
            guard UTF16.isLeadSurrogate(unit), current == UInt8(ascii: "\\") else {
                throw JSONError(kind: .syntax, offset: start)
            }
            offset += 1
            try expect("u")
            guard UTF16.isTrailSurrogate(try hexadecimalUnit()) else {
                throw JSONError(kind: .syntax, offset: start)
            }
        default:
            throw error
        }
    }

    private mutating func hexadecimalUnit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = current.hexadecimalValue else { throw error }
            unit = unit << 4 | UInt16(digit)
            offset += 1
        }
        return unit
    }
}
