import Bytes

/// The rule for the times after the last transition of a file: a TZ string (RFC 9636, section 3.3.1; POSIX.1-2024,
/// section 8.3), such as `CET-1CEST,M3.5.0,M10.5.0/3`.
struct TimeZoneRule {
    /// When clocks change: a day of the year, and a time of that day on the clocks before the change, in seconds.
    private struct Change {
        enum Day {
            /// The `n`th of a weekday in a month; the fifth is the last.
            case weekday(month: Int64, n: Int64, weekday: Int64)
            /// 1 to 365, without 29 February.
            case withoutLeapDay(Int64)
            /// 0 to 365.
            case withLeapDay(Int64)
        }

        var day: Day
        var time: Int64
    }

    private struct SummerTime {
        var offset: Int64
        var start: Change
        var end: Change
    }

    /// Seconds ahead of UTC.
    private let standardOffset: Int64
    private let summerTime: SummerTime?

    /// - Returns: `nil` for a text that is not a TZ string.
    init?(_ text: some Collection<UInt8>) {
        var text = Substring(decoding: text, as: UTF8.self)
        // POSIX counts offsets westward.
        guard Self.skipName(&text), let west = Self.time(&text, hours: 24) else { return nil }
        standardOffset = -west
        if text.isEmpty {
            summerTime = nil
            return
        }
        guard Self.skipName(&text) else { return nil }
        var offset = standardOffset + 3_600
        if !text.starts(with: ",") {
            guard let west = Self.time(&text, hours: 24) else { return nil }
            offset = -west
        }
        guard let start = Self.change(&text), let end = Self.change(&text), text.isEmpty else { return nil }
        summerTime = SummerTime(offset: offset, start: start, end: end)
    }

    /// The transitions of a year, in order of time; of a zone without summer time the offset from its beginning on.
    func transitions(in year: Int64) -> [TimeZoneFile.Transition] {
        guard let summerTime else {
            return [.init(time: Self.firstDay(of: year) * 86_400 - standardOffset, offset: standardOffset)]
        }
        return [
            TimeZoneFile.Transition(
                time: Self.time(of: summerTime.start, in: year) - standardOffset, offset: summerTime.offset),
            TimeZoneFile.Transition(
                time: Self.time(of: summerTime.end, in: year) - summerTime.offset, offset: standardOffset),
        ].sorted { $0.time < $1.time }
    }

    // MARK: Calendar

    private static func firstDay(of year: Int64) -> Int64 {
        CalendarDate(year: year, month: 1, day: 1).daysSinceEpoch
    }

    /// The time of a change on the clocks before it, counted as if they showed UTC.
    private static func time(of change: Change, in year: Int64) -> Int64 {
        let day =
            switch change.day {
            case .withLeapDay(let day): firstDay(of: year) + day
            case .withoutLeapDay(let day):
                firstDay(of: year) + day - 1 + (day >= 60 && firstDay(of: year + 1) - firstDay(of: year) == 366 ? 1 : 0)
            case .weekday(let month, let n, let weekday):
                self.day(month: month, n: n, weekday: weekday, in: year)
            }
        return day * 86_400 + change.time
    }

    private static func day(month: Int64, n: Int64, weekday: Int64, in year: Int64) -> Int64 {
        let first = CalendarDate(year: year, month: month, day: 1).daysSinceEpoch
        // 1970-01-01 was a Thursday, and a week begins on Sunday, day 0.
        let firstWeekday = ((first + 4) % 7 + 7) % 7
        var day = 1 + (weekday - firstWeekday + 7) % 7 + (n - 1) * 7
        while !CalendarDate(year: year, month: month, day: day).exists { day -= 7 }
        return first + day - 1
    }

    // MARK: Text

    /// Skips a name: letters, or anything in angle brackets.
    private static func skipName(_ text: inout Substring) -> Bool {
        if text.starts(with: "<") {
            guard let end = text.firstIndex(of: ">") else { return false }
            text = text[text.index(after: end)...]
            return true
        }
        let rest = text.drop { $0.isASCII && $0.isLetter }
        guard text.count - rest.count >= 3 else { return false }
        text = rest
        return true
    }

    private static func number(_ text: inout Substring, _ range: ClosedRange<Int64>) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
        guard let number = Int64(digits), range.contains(number) else { return nil }
        text = text.dropFirst(digits.count)
        return number
    }

    private static func skip(_ character: Character, _ text: inout Substring) -> Bool {
        guard text.first == character else { return false }
        text.removeFirst()
        return true
    }

    /// `[+-]hh[:mm[:ss]]` in seconds, up to and with `hours`.
    private static func time(_ text: inout Substring, hours: Int64) -> Int64? {
        let isNegative = skip("-", &text)
        if !isNegative { _ = skip("+", &text) }
        guard var seconds = number(&text, 0...hours).map({ $0 * 3_600 }) else { return nil }
        for unit: Int64 in [60, 1] where skip(":", &text) {
            guard let number = number(&text, 0...59) else { return nil }
            seconds += number * unit
        }
        return isNegative ? -seconds : seconds
    }

    /// `,day[/time]`
    private static func change(_ text: inout Substring) -> Change? {
        guard skip(",", &text), let day = day(&text) else { return nil }
        guard skip("/", &text) else { return Change(day: day, time: 7_200) }
        // RFC 9636 extends POSIX to a week.
        return time(&text, hours: 167).map { Change(day: day, time: $0) }
    }

    private static func day(_ text: inout Substring) -> Change.Day? {
        if skip("M", &text) {
            guard let month = number(&text, 1...12), skip(".", &text), let n = number(&text, 1...5), skip(".", &text),
                let weekday = number(&text, 0...6)
            else { return nil }
            return .weekday(month: month, n: n, weekday: weekday)
        }
        if skip("J", &text) { return number(&text, 1...365).map { .withoutLeapDay($0) } }
        return number(&text, 0...365).map { .withLeapDay($0) }
    }
}
