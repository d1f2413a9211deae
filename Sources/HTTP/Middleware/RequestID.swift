import Glibc

/// The id of a request, which its answer and its log line carry.
package enum RequestID {
    /// The client's own `X-Request-ID` if it is 1 to 128 characters of `A-Z a-z 0-9 . _ -`, else a new one.
    package static func of(_ headers: HTTPHeaders) -> String {
        let sent = headers.values(for: "x-request-id")
        guard sent.count == 1, let id = sent.first, (1...128).contains(id.utf8.count), id.utf8.allSatisfy(isAllowed)
        else { return new() }
        return id
    }

    /// 32 random hexadecimal digits.
    package static func new() -> String {
        var words: (UInt64, UInt64) = (0, 0)
        // One system call; SystemRandomNumberGenerator makes one for each word.
        let isRandom = withUnsafeMutableBytes(of: &words) { getentropy($0.baseAddress, $0.count) == 0 }
        if !isRandom { words = (.random(in: .min ... .max), .random(in: .min ... .max)) }
        return String(unsafeUninitializedCapacity: 32) { bytes in
            for index in 0..<16 {
                bytes[index] = digit(words.0 >> UInt64(4 * index))
                bytes[index + 16] = digit(words.1 >> UInt64(4 * index))
            }
            return 32
        }
    }

    /// The hexadecimal digit of the lowest four bits.
    private static func digit(_ bits: UInt64) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: bits & 15)
        return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
