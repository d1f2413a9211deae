import Bytes
import TimeZones

extension Timestamp {
    /// Reads an ISO 8601 date-time in extended format: a date, `T` or one space, hours and minutes, optional seconds with an
    /// optional fraction, an optional `Z` or offset `±hh:mm`, `±hhmm` or `±hh`.
    ///
    /// Lower-case `t` and `z` and a comma before the fraction are read; second 60 is the next minute's 0; digits of the
    /// fraction beyond microseconds are dropped. Basic format, hour 24, dates that do not exist and instants outside of the
    /// years 1 to 9999 in UTC are errors.
    ///
    /// - Parameter zone: where a time without an offset is meant.
    /// - Returns: `nil` for anything else.
    package static func parseISO8601<Bytes: Collection<UInt8>>(_ text: Bytes, zone: WallClock) -> Timestamp? {
        // A scanner of any collection is not specialized for callers in other modules and is 50 times slower.
        var scanner = DateScanner(bytes: Array(text))
        guard let year = scanner.digits(4), year >= 1, scanner.skip("-"),
            let month = scanner.digits(2), scanner.skip("-"), let day = scanner.digits(2),
            scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.digits(2), hour <= 23, scanner.skip(":"),
            let minute = scanner.digits(2), minute <= 59,
            let (second, fraction) = scanner.seconds()
        else { return nil }
        let date = CalendarDate(year: year, month: month, day: day)
        guard date.exists else { return nil }
        let wall = date.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second
        let utc: Int64
        if scanner.isAtEnd {
            utc = zone.utc(fromWallClock: wall)
        } else {
            guard let offset = scanner.offset(), scanner.isAtEnd else { return nil }
            utc = wall - offset
        }
        let time = Timestamp(microseconds: utc * 1_000_000 + fraction)
        return time.isRepresentable ? time : nil
    }
}

private struct DateScanner {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard !isAtEnd, UInt32(bytes[position]) == character.value else { return false }
        position += 1
        return true
    }

    mutating func digit() -> Int64? {
        guard !isAtEnd, bytes[position].isDigit else { return nil }
        defer { position += 1 }
        return Int64(bytes[position] - UInt8(ascii: "0"))
    }

    mutating func digits(_ count: Int) -> Int64? {
        var number: Int64 = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// Seconds and microseconds, both 0 when left out; `nil` when there is no second after the colon.
    mutating func seconds() -> (second: Int64, microseconds: Int64)? {
        // Java's LocalDateTime.toString() drops a zero second.
        guard skip(":") else { return (0, 0) }
        guard let second = digits(2), second <= 60, let fraction = fraction() else { return nil }
        return (second, fraction)
    }

    /// Microseconds; 0 when there is no fraction, `nil` when one has no digit.
    mutating func fraction() -> Int64? {
        guard skip(".") || skip(",") else { return 0 }
        guard let first = digit() else { return nil }
        var microseconds = first * 100_000
        var weight: Int64 = 10_000
        while let next = digit() {
            microseconds += next * weight
            weight /= 10
        }
        return microseconds
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64
        if skip("+") {
            sign = 1
        } else if skip("-") {
            sign = -1
        } else {
            return nil
        }
        guard let hours = digits(2), hours <= 23 else { return nil }
        if isAtEnd { return sign * hours * 3_600 }
        _ = skip(":")
        guard let minutes = digits(2), minutes <= 59 else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }
}
