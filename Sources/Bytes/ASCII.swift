/// Classes of ASCII characters, for readers of text that is not decoded first.
extension UInt8 {
    /// `0` to `9`.
    @inlinable package var isDigit: Bool { self &- 0x30 < 10 }

    /// `A` to `Z` or `a` to `z`.
    @inlinable package var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// `A` to `Z`.
    @inlinable package var isUppercaseLetter: Bool { self &- 0x41 < 26 }

    /// A letter or a digit.
    @inlinable package var isAlphanumeric: Bool { isLetter || isDigit }

    /// A letter in lower case; any other byte as it is. Unicode's own rule would also change characters that only look like
    /// letters of ASCII.
    @inlinable package var lowercased: UInt8 { isUppercaseLetter ? self | 0x20 : self }
}

extension Collection<UInt8> {
    /// Whether it is not empty and consists of decimal digits.
    @inlinable package var isDecimal: Bool { !isEmpty && allSatisfy(\.isDigit) }
}
