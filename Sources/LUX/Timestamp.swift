import Bytes

/// A point in time, in microseconds since the Unix epoch, UTC: the resolution of PostgreSQL's `timestamptz`.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z; negative before it.
    package var microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Whether `earlier` is before `later`.
    package static func < (earlier: Timestamp, later: Timestamp) -> Bool {
        earlier.microseconds < later.microseconds
    }

    /// The time that many seconds later (or, negative, earlier); stops at the ends of the range.
    package func adding(seconds: Int64) -> Timestamp {
        let (product, isFar) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, isBeyond) = microseconds.addingReportingOverflow(product)
        return Timestamp(microseconds: isFar || isBeyond ? (seconds < 0 ? .min : .max) : sum)
    }

    private static let firstDay = CalendarDate(year: 1, month: 1, day: 1).daysSinceEpoch
    private static let lastDay = CalendarDate(year: 9999, month: 12, day: 31).daysSinceEpoch

    /// Whether it lies in the years 1 to 9999, UTC.
    package var isRepresentable: Bool {
        (Self.firstDay * 86_400_000_000..<(Self.lastDay + 1) * 86_400_000_000).contains(microseconds)
    }

    /// Appends the time as `2024-11-28T02:15:53.610Z`: UTC, always three decimals, the rest cut off. Times outside of the
    /// years 1 to 9999, PostgreSQL's infinities among them, become the first or last one that this form has.
    package func appendISO8601(to bytes: inout [UInt8]) {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 86_400_000_000)
        var day = remainder < 0 ? quotient - 1 : quotient
        var rest = remainder < 0 ? remainder + 86_400_000_000 : remainder
        if day < Self.firstDay { (day, rest) = (Self.firstDay, 0) }
        if day > Self.lastDay { (day, rest) = (Self.lastDay, 86_399_999_999) }
        bytes.append(rfc3339: day, milliseconds: rest / 1_000)
    }
}
