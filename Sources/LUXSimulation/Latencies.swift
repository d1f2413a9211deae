/// Latencies in buckets that are 1/16 of a power of two wide, so that percentiles are right within 6 %.
package struct Latencies: Sendable, Equatable {
    private var counts = [UInt64](repeating: 0, count: 48 * 16)
    package private(set) var count: UInt64 = 0
    package private(set) var largest: Int64 = 0

    package init() {}

    /// - Parameter microseconds: 0 or more.
    package mutating func observe(_ microseconds: Int64) {
        counts[Self.bucket(UInt64(max(0, microseconds)))] += 1
        count += 1
        largest = max(largest, microseconds)
    }

    /// The upper bound in microseconds of the bucket below which this part of the latencies lies.
    package func percentile(_ part: Double) -> Int64 {
        var rest = UInt64((Double(count) * part).rounded(.up))
        guard rest > 0 else { return 0 }
        for (index, number) in counts.enumerated() {
            if number >= rest { return min(Self.upperBound(index), largest) }
            rest -= number
        }
        return largest
    }

    private static func bucket(_ value: UInt64) -> Int {
        guard value >= 16 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return min((exponent - 3) * 16 + Int((value >> UInt64(exponent - 4)) & 15), 48 * 16 - 1)
    }

    private static func upperBound(_ bucket: Int) -> Int64 {
        guard bucket >= 16 else { return Int64(bucket) }
        let (exponent, part) = (bucket / 16 + 3, bucket % 16)
        return (Int64(16 + part + 1) << Int64(exponent - 4)) - 1
    }
}
