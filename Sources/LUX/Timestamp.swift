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

    private static let firstDay = daysFromCivil(year: 1, month: 1, day: 1)
    private static let lastDay = daysFromCivil(year: 9999, month: 12, day: 31)

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
        let date = civilFromDays(day)
        let milliseconds = rest / 1_000
        bytes.append(digits: date.year, count: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(digits: date.month, count: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(digits: date.day, count: 2)
        bytes.append(UInt8(ascii: "T"))
        bytes.append(digits: milliseconds / 3_600_000, count: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(digits: milliseconds / 60_000 % 60, count: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(digits: milliseconds / 1_000 % 60, count: 2)
        bytes.append(UInt8(ascii: "."))
        bytes.append(digits: milliseconds % 1_000, count: 3)
        bytes.append(UInt8(ascii: "Z"))
    }
}

extension [UInt8] {
    fileprivate mutating func append(digits number: Int64, count: Int) {
        var divisor: Int64 = 1
        for _ in 1..<count { divisor *= 10 }
        for _ in 0..<count {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `days_from_civil`). Right for all years that have four digits.
func daysFromCivil(year: Int64, month: Int64, day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

/// The date of a day counted from 1970-01-01 (ibid., `civil_from_days`).
func civilFromDays(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
}
