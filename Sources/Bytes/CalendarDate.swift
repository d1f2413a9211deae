/// A date of the proleptic Gregorian calendar. A value.
package struct CalendarDate: Equatable, Sendable {
    package var year: Int64
    /// 1 to 12.
    package var month: Int64
    /// 1 to 31.
    package var day: Int64

    package init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
    /// `civil_from_days`).
    package init(daysSinceEpoch days: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    }

    /// Days from 1970-01-01 (ibid., `days_from_civil`). Right for all years that have four digits.
    package var daysSinceEpoch: Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Whether the month has this day.
    package var exists: Bool {
        guard (1...12).contains(month), day >= 1 else { return false }
        return switch month {
        case 2: day <= (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28)
        case 4, 6, 9, 11: day <= 30
        default: day <= 31
        }
    }
}

extension [UInt8] {
    /// Appends a UTC time as in RFC 3339, with three decimals: `2024-11-28T02:15:53.610Z`.
    ///
    /// - Parameters:
    ///   - day: counted from 1970-01-01, in the years 1 to 9999.
    ///   - milliseconds: since the beginning of the day.
    package mutating func append(rfc3339 day: Int64, milliseconds: Int64) {
        let date = CalendarDate(daysSinceEpoch: day)
        // Appending once is cheaper than one character at a time.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { text in
            text.write(decimal: date.year, at: 0, width: 4)
            text[4] = UInt8(ascii: "-")
            text.write(decimal: date.month, at: 5, width: 2)
            text[7] = UInt8(ascii: "-")
            text.write(decimal: date.day, at: 8, width: 2)
            text[10] = UInt8(ascii: "T")
            text.write(decimal: milliseconds / 3_600_000, at: 11, width: 2)
            text[13] = UInt8(ascii: ":")
            text.write(decimal: milliseconds / 60_000 % 60, at: 14, width: 2)
            text[16] = UInt8(ascii: ":")
            text.write(decimal: milliseconds / 1_000 % 60, at: 17, width: 2)
            text[19] = UInt8(ascii: ".")
            text.write(decimal: milliseconds % 1_000, at: 20, width: 3)
            text[23] = UInt8(ascii: "Z")
            append(contentsOf: UnsafeBufferPointer(text))
        }
    }
}
