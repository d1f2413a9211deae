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
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        bytes.append(digits: Int(parts.tm_year) + 1_900, count: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(digits: Int(parts.tm_mon) + 1, count: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(digits: Int(parts.tm_mday), count: 2)
        bytes.append(UInt8(ascii: "T"))
        bytes.append(digits: Int(parts.tm_hour), count: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(digits: Int(parts.tm_min), count: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(digits: Int(parts.tm_sec), count: 2)
        bytes.append(UInt8(ascii: "."))
        bytes.append(digits: milliseconds, count: 3)
        bytes.append(UInt8(ascii: "Z"))
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
