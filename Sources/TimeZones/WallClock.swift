import Bytes
import FoundationEssentials

/// Converts between local time of a zone and UTC. A value.
///
/// The rules are the system's (`tzdata`), which the package manager keeps current.
package struct WallClock: Equatable, Sendable {
    /// The offset from UTC in seconds that applies from a time on, in seconds since the Unix epoch.
    private struct Period: Equatable {
        var start: Int64
        var offset: Int64
    }

    private var periods: [Period]

    /// The folder of the compiled zones (tzfile(5)).
    package static let folder = "/usr/share/zoneinfo"
    /// Until here rules are written out as periods; they repeat with the calendar.
    private static let lastYear: Int64 = 2_600
    private static let end = CalendarDate(year: lastYear, month: 1, day: 1).daysSinceEpoch * 86_400
    /// After 400 years the Gregorian calendar repeats, days of the week included.
    private static let calendarCycle: Int64 = 146_097 * 86_400

    /// The clock that shows UTC.
    package static let utc = WallClock(periods: [Period(start: .min, offset: 0)])

    private init(periods: [Period]) {
        self.periods = periods
    }

    /// - Parameters:
    ///   - identifier: an IANA name such as `Asia/Seoul`.
    ///   - folder: of the compiled zones.
    /// - Returns: `nil` when the folder has no valid zone of that name.
    package init?(identifier: String, in folder: String = Self.folder) {
        let isName = identifier.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && $0.utf8.allSatisfy { $0.isLetter || $0.isDigit || "_+-".utf8.contains($0) }
        }
        guard isName, let data = FileManager.default.contents(atPath: "\(folder)/\(identifier)"),
            let file = TimeZoneFile(Array(data))
        else { return nil }
        self.init(file)
    }

    init(_ file: TimeZoneFile) {
        periods = [Period(start: .min, offset: file.firstOffset)]
        for transition in file.transitions { append(transition) }
        guard let rule = file.rule else { return }
        // Rules are younger than 1970.
        let last = max(file.transitions.last?.time ?? 0, 0)
        // A change of one year can happen in the next, and at the same time as another: then the later year's applies.
        let firstYear = CalendarDate(daysSinceEpoch: last / 86_400).year - 1
        let ruled = stride(from: firstYear, to: Self.lastYear, by: 1).flatMap { rule.transitions(in: $0) }.enumerated()
        for (_, transition) in ruled.sorted(by: { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) })
        where transition.time > last {
            append(transition)
        }
    }

    private mutating func append(_ transition: TimeZoneFile.Transition) {
        if periods[periods.count - 1].start == transition.time { periods.removeLast() }
        guard transition.offset != periods[periods.count - 1].offset else { return }
        periods.append(Period(start: transition.time, offset: transition.offset))
    }

    /// Seconds that the clocks are ahead of UTC at a time, in seconds since the Unix epoch.
    package func offset(at utc: Int64) -> Int64 {
        if utc >= Self.end { return offset(at: utc - ((utc - Self.end) / Self.calendarCycle + 1) * Self.calendarCycle) }
        return periods[lastIndex { periods[$0].start <= utc }].offset
    }

    /// The last period that has begun, by bisection: `hasBegun` holds up to it and for none behind it.
    private func lastIndex(where hasBegun: (Int) -> Bool) -> Int {
        var low = 0
        var high = periods.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if hasBegun(middle) { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// The UTC time, in seconds since the Unix epoch, at which the clocks show `wall`, counted as if they showed UTC.
    ///
    /// A time that summer time skips moves forward; of a time that comes twice the first is meant.
    package func utc(fromWallClock wall: Int64) -> Int64 {
        // The last period has no end here: what lies beyond its beginning is read off an earlier cycle.
        let end = Self.end - 366 * 86_400
        if wall >= end {
            let shift = ((wall - end) / Self.calendarCycle + 1) * Self.calendarCycle
            return utc(fromWallClock: wall - shift) + shift
        }
        // The result lies in the last period that had begun by then on its own clock or the earlier one. A transition has
        // surely happened once the clock of before it shows the time of the transition.
        let last = lastIndex { periods[$0].start + periods[$0 - 1].offset <= wall }
        let utc = wall - periods[last].offset
        // In the gap the new clock never shows this time: the old one, running on, does.
        if last > 0, utc < periods[last].start { return wall - periods[last - 1].offset }
        return utc
    }
}
