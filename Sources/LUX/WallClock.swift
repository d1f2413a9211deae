import FoundationEssentials
import FoundationInternationalization

/// Converts local time of a zone to UTC.
package struct WallClock: Sendable {
    /// The offset from UTC in seconds that applies from a time on, in seconds since the Unix epoch.
    private struct Period {
        var start: Int64
        var offset: Int64
    }

    private var periods: [Period]

    /// Transitions are looked up in these years. Later ones follow from rules, which repeat with the calendar.
    private static let firstYear: Int64 = -2_208_988_800  // 1900
    private static let lastYear: Int64 = 19_880_899_200  // 2600
    /// After 400 years the Gregorian calendar repeats, days of the week included.
    private static let calendarCycle: Int64 = 146_097 * 86_400

    /// The zone of an IANA name such as `Asia/Seoul`; `nil` when there is none.
    package init?(identifier: String) {
        guard let zone = TimeZone(identifier: identifier) else { return nil }
        var time = Date(timeIntervalSince1970: Double(Self.firstYear))
        periods = [Period(start: .min, offset: Int64(zone.secondsFromGMT(for: time)))]
        while let next = zone.nextDaylightSavingTimeTransition(after: time), next > time,
            next.timeIntervalSince1970 < Double(Self.lastYear)
        {
            let start = Int64(next.timeIntervalSince1970.rounded())
            periods.append(Period(start: start, offset: Int64(zone.secondsFromGMT(for: next))))
            time = next
        }
    }

    /// The UTC time, in seconds since the Unix epoch, at which the clocks show `wall`, counted as if they showed UTC.
    ///
    /// A time that summer time skips moves forward; of a time that comes twice the first is meant.
    package func utc(fromWallClock wall: Int64) -> Int64 {
        // The last period has no end here: what lies beyond its beginning is read off an earlier cycle.
        let end = Self.lastYear - 366 * 86_400
        if wall >= end {
            let shift = ((wall - end) / Self.calendarCycle + 1) * Self.calendarCycle
            return utc(fromWallClock: wall - shift) + shift
        }
        // The result lies in the last period that had begun by then on its own clock or the earlier one.
        var low = 0
        var high = periods.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            // A transition has surely happened once the clock of before it shows the time of the transition.
            if periods[middle].start + periods[middle - 1].offset <= wall { low = middle } else { high = middle - 1 }
        }
        let utc = wall - periods[low].offset
        // In the gap the new clock never shows this time: the old one, running on, does.
        if low > 0, utc < periods[low].start { return wall - periods[low - 1].offset }
        return utc
    }
}
