import Bytes
import Synchronization

/// The id of a request, which its response and its log line carry.
package enum RequestID {
    /// The client's own `X-Request-ID` if it is 1 to 128 characters of `A-Z a-z 0-9 . _ -`, else a new one.
    package static func of(_ headers: HTTPHeaders) -> String {
        guard let id = headers.onlyValue(of: .xRequestID), (1...128).contains(id.count), id.allSatisfy(isAllowed) else {
            return new()
        }
        return String(decoding: id, as: UTF8.self)
    }

    /// What distinguishes the ids of this process from those of others.
    private static let seeds = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    private static let created = Atomic<UInt64>(0)

    /// 32 hexadecimal digits that no other id has: a counter from a random start in each half, mixed.
    package static func new() -> String {
        let number = created.wrappingAdd(1, ordering: .relaxed).newValue
        let words = (mixed(seeds.0 &+ number), mixed(seeds.1 &+ number))
        return String(unsafeUninitializedCapacity: 32) { bytes in
            for index in 0..<16 {
                bytes[index] = UInt8(truncatingIfNeeded: words.0 >> UInt64(4 * index)).hexadecimalDigit
                bytes[index + 16] = UInt8(truncatingIfNeeded: words.1 >> UInt64(4 * index)).hexadecimalDigit
            }
            return 32
        }
    }

    /// The finalizer of SplitMix64, a bijection.
    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = word &* 0x9E37_79B9_7F4A_7C15
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte.isAlphanumeric || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
}
