import Bytes
import LUX

/// Where the next page of `GET usage-logs` begins, as clients carry it: 32 opaque characters.
///
/// A check sum ties it to child, device and span. It is not a secret: a forged cursor shows only the account's own logs.
enum UsageLogCursor {
    /// - Parameter position: of the last log of the page.
    static func text(_ position: UsageLogPosition, of query: UsageLogQuery) -> String {
        let words = [position.start.microseconds, position.id, check(position, query)]
        var bytes: [UInt8] = []
        for word in words { withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) } }
        return Base64URL.encode(bytes)
    }

    /// The position in a cursor; `nil` for one that is damaged or of another query.
    static func position(_ text: String, of query: UsageLogQuery) -> UsageLogPosition? {
        guard let bytes = Base64URL.decode(text.utf8), bytes.count == 24 else { return nil }
        func word(_ index: Int) -> Int64 {
            bytes[index * 8..<index * 8 + 8].reduce(0) { $0 << 8 | Int64($1) }
        }
        let position = UsageLogPosition(start: Timestamp(microseconds: word(0)), id: word(1))
        return word(2) == check(position, query) ? position : nil
    }

    /// FNV-1a of 64 bits (Fowler, Noll, Vo), over all that a cursor belongs to.
    private static func check(_ position: UsageLogPosition, _ query: UsageLogQuery) -> Int64 {
        let words: [Int64] = [
            position.start.microseconds, position.id, query.childID, query.deviceID ?? 0,
            query.from?.microseconds ?? .min, query.to?.microseconds ?? .max,
        ]
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for word in words {
            withUnsafeBytes(of: word.bigEndian) { bytes in
                for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            }
        }
        return Int64(bitPattern: hash)
    }
}
