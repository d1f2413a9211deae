import Bytes

extension JSONReader {
    /// Reads a value of any kind.
    ///
    /// - Returns: how many bytes PostgreSQL writes for it as text once it is stored as `jsonb`: of two members with one name the
    ///   last one, a space after each colon and comma, numbers with all their digits, few escapes.
    package mutating func storedSize() throws(JSONError) -> Int {
        switch try kind() {
        case .object:
            var sizes: [[UInt8]: Int] = [:]
            try object { (name, reader) throws(JSONError) in
                sizes[name.bytes] = name.storedSize + 2 + (try reader.storedSize())
            }
            return sizes.values.reduce(0, +) + 2 + 2 * max(0, sizes.count - 1)
        case .array:
            var sum = 0
            var count = 0
            try array { (reader) throws(JSONError) in
                sum += try reader.storedSize()
                count += 1
            }
            return sum + 2 + 2 * max(0, count - 1)
        case .string: return try string().storedSize
        case .number: return Self.storedSize(ofNumber: try numberText().text.utf8)
        case .null, .bool:
            let start = offset
            try skipValue()
            return offset - start
        }
    }

    /// The characters of a number as `numeric` writes it: no exponent, no leading zero, as many decimals as were given.
    private static func storedSize(ofNumber text: String.UTF8View) -> Int {
        var integerDigits = 0
        var fractionDigits = 0
        var leadingZeros = 0
        var isFraction = false
        var isZero = true
        var exponent = 0
        for (index, byte) in text.enumerated() {
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                let digits = text.dropFirst(index + 1).drop { $0 == UInt8(ascii: "+") }
                exponent = Int(String(decoding: Array(digits), as: UTF8.self)) ?? 0
            case UInt8(ascii: "0")...UInt8(ascii: "9") where isFraction: fractionDigits += 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"): integerDigits += 1
            default: break
            }
            if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") { break }
            guard byte.isDigit, isZero else { continue }
            if byte == UInt8(ascii: "0") { leadingZeros += 1 } else { isZero = false }
        }
        let decimals = max(0, fractionDigits - exponent)
        let whole = isZero ? 1 : max(1, integerDigits + exponent - leadingZeros)
        let sign = !isZero && text.first == UInt8(ascii: "-") ? 1 : 0
        return sign + whole + (decimals > 0 ? 1 + decimals : 0)
    }
}

extension JSONString {
    /// The bytes of its characters.
    var bytes: [UInt8] { plainBytes.map { Array($0) } ?? Array(value.utf8) }

    /// The bytes that PostgreSQL writes for it, quotation marks included.
    var storedSize: Int {
        if let plainBytes { return plainBytes.count + 2 }
        return value.utf8.reduce(2) { size, byte in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x08, 0x09, 0x0A, 0x0C, 0x0D: size + 2
            case 0..<0x20: size + 6
            default: size + 1
            }
        }
    }
}
