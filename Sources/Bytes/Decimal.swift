extension [UInt8] {
    /// Appends a whole number in decimal.
    @inlinable package mutating func append(decimal number: Int64) {
        // 19 digits and a sign. Appending once is cheaper than one digit at a time.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            var rest = number.magnitude
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                start -= 1
                digits[start] = UInt8(ascii: "-")
            }
            append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    /// Appends the last `width` decimal digits of a number that is not negative, with zeros in front.
    package mutating func append(decimal number: Int64, width: Int) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: width) { digits in
            digits.write(decimal: number, at: 0, width: width)
            append(contentsOf: UnsafeBufferPointer(digits))
        }
    }
}

extension UnsafeMutableBufferPointer<UInt8> {
    /// Writes the last `width` decimal digits of a number that is not negative.
    @inline(__always)
    func write(decimal number: Int64, at start: Int, width: Int) {
        assert(number >= 0 && width > 0)
        var rest = number
        var index = start + width
        while index > start {
            index -= 1
            self[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
