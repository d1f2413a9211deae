/// Hexadecimal digits.
extension UInt8 {
    /// The value of a digit of either case; `nil` for any other character.
    @inlinable package var hexadecimalValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The digit of the lowest four bits, in lower case.
    @inlinable package var hexadecimalDigit: UInt8 {
        let value = self & 15
        return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}

extension [UInt8] {
    /// Appends the two digits of a byte.
    @inlinable package mutating func append(hexadecimal byte: UInt8, uppercase: Bool = false) {
        let (high, low) = ((byte >> 4).hexadecimalDigit, byte.hexadecimalDigit)
        append(uppercase && high.isLetter ? high & ~0x20 : high)
        append(uppercase && low.isLetter ? low & ~0x20 : low)
    }
}
