import Glibc

/// A moment in UTC as RFC 3339 has it, with milliseconds: `2026-11-25T12:34:56.789Z`.
struct LogTime {
    private let seconds: Int
    private let milliseconds: Int

    /// - Parameter seconds: since the Unix epoch, not before it.
    init(seconds: Int, milliseconds: Int) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    static func now() -> LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    func append(to bytes: inout [UInt8]) {
        let (year, month, day) = date
        bytes.append(digits: year, count: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(digits: month, count: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(digits: day, count: 2)
        bytes.append(UInt8(ascii: "T"))
        bytes.append(digits: seconds / 3_600 % 24, count: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(digits: seconds / 60 % 60, count: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(digits: seconds % 60, count: 2)
        bytes.append(UInt8(ascii: "."))
        bytes.append(digits: milliseconds, count: 3)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// The Gregorian date. Years are counted from March, so that the leap day comes last in them, in cycles of 400 years.
    private var date: (year: Int, month: Int, day: Int) {
        // From 0000-03-01 to the epoch.
        let days = seconds / 86_400 + 719_468
        let cycle = days / 146_097
        let dayOfCycle = days % 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        return (cycle * 400 + yearOfCycle + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9, day)
    }
}

extension [UInt8] {
    /// Appends the last `count` decimal digits of a number, with zeros in front.
    mutating func append(digits number: Int, count: Int) {
        var divisor = 1
        for _ in 1..<count { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// Appends a whole number in decimal.
    mutating func append(decimal number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        let start = count
        var rest = number.magnitude
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        self[start...].reverse()
    }
}
