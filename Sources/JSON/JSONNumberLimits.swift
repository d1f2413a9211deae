import Bytes

/// The numbers that a body may contain, so that none becomes another value, or very long, wherever it is stored or read.
enum JSONNumberLimits {
    /// How many characters a number may have.
    static let length = 400
    /// The largest exponent as written, in both directions.
    static let exponent = 400

    /// Without an exponent, up to this length, every number is within the range of a double.
    static let safeLength = 300

    /// Whether a number is too long or lies outside of the range of an IEEE 754 double.
    ///
    /// - Parameters:
    ///   - text: of valid grammar, with an exponent or more than ``safeLength`` characters.
    ///   - exponentStart: the place of the `e`, if any.
    static func rejects(_ text: UnsafeBufferPointer<UInt8>, exponentStart: Int?) -> Bool {
        guard text.count <= length else { return true }
        if let exponentStart, exponentMagnitude(text[(exponentStart + 1)...]) > exponent { return true }
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return true }
        guard value == 0 else { return false }
        return text[..<(exponentStart ?? text.count)].contains { $0.isDigit && $0 != UInt8(ascii: "0") }
    }

    private static func exponentMagnitude(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        var magnitude = 0
        for byte in digits where byte.isDigit {
            magnitude = min(magnitude * 10 + Int(byte - UInt8(ascii: "0")), 1_000_000)
        }
        return magnitude
    }
}
