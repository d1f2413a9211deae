import Foundation
import LUX
import Testing
import TimeZones

@Suite struct WallClockTests {
    @Test func `moves a skipped time forward and takes the first of two`() throws {
        let cases: [(zone: String, wall: String, utc: String)] = [
            ("Asia/Seoul", "2025-02-14T15:48:49", "2025-02-14T06:48:49.000Z"),
            ("Asia/Seoul", "1987-05-10T01:59:59", "1987-05-09T16:59:59.000Z"),
            ("Asia/Seoul", "1987-05-10T02:30:00", "1987-05-09T17:30:00.000Z"),
            ("Asia/Seoul", "1987-05-10T03:00:00", "1987-05-09T17:00:00.000Z"),
            ("Asia/Seoul", "1987-10-11T01:59:59", "1987-10-10T15:59:59.000Z"),
            ("Asia/Seoul", "1987-10-11T02:30:00", "1987-10-10T16:30:00.000Z"),
            ("Asia/Seoul", "1987-10-11T03:00:00", "1987-10-10T18:00:00.000Z"),
            ("Asia/Seoul", "1988-07-01T12:00:00", "1988-07-01T02:00:00.000Z"),
            ("America/New_York", "2025-03-09T02:30:00", "2025-03-09T07:30:00.000Z"),
            ("America/New_York", "2025-11-02T01:30:00", "2025-11-02T05:30:00.000Z"),
            ("America/New_York", "2025-11-02T02:00:00", "2025-11-02T07:00:00.000Z"),
            ("Europe/Berlin", "2025-03-30T02:30:00", "2025-03-30T01:30:00.000Z"),
            ("Europe/Berlin", "2025-10-26T02:30:00", "2025-10-26T00:30:00.000Z"),
            ("Australia/Lord_Howe", "2025-10-05T02:15:00", "2025-10-04T15:45:00.000Z"),
            ("Australia/Lord_Howe", "2025-04-06T01:45:00", "2025-04-05T14:45:00.000Z"),
            ("Europe/Berlin", "2300-07-01T12:00:00", "2300-07-01T10:00:00.000Z"),
            ("Europe/Berlin", "2599-07-01T12:00:00", "2599-07-01T10:00:00.000Z"),
            ("Europe/Berlin", "2600-01-01T00:00:00", "2599-12-31T23:00:00.000Z"),
            ("Europe/Berlin", "9998-07-01T12:00:00", "9998-07-01T10:00:00.000Z"),
            ("UTC", "2025-02-14T15:48:49", "2025-02-14T15:48:49.000Z"),
            ("Asia/Seoul", "0001-01-01T12:00:00", "0001-01-01T03:32:08.000Z"),
            ("America/New_York", "9999-12-31T18:59:59", "9999-12-31T23:59:59.000Z"),
        ]
        for (zone, wall, utc) in cases {
            let clock = try #require(WallClock(identifier: zone))
            let expected = try #require(Timestamp.parseISO8601(utc.utf8, zone: .utc))
            #expect(Timestamp.parseISO8601(wall.utf8, zone: clock) == expected, "\(wall) in \(zone)")
        }
    }

    @Test(arguments: ["Asia/Seoul", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC"])
    func `agrees with Foundation: wall times from 1900 to 2100, offsets from 1811 to 2920`(_ identifier: String) throws
    {
        let clock = try #require(WallClock(identifier: identifier))
        let zone = try #require(TimeZone(identifier: identifier))
        for time in stride(from: Int64(-5_000_000_000), to: 30_000_000_000, by: 5_003 * 3_600) {
            let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(time)))
            #expect(clock.offset(at: time) == Int64(expected), "\(time)")
        }
        func offset(_ utc: Int64) -> Int64 {
            Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(utc))))
        }
        // No zone changes its clocks twice within two days, and none by more than one.
        func expected(_ wall: Int64) -> Int64 {
            let before = offset(wall - 2 * 86_400)
            let after = offset(wall + 2 * 86_400)
            if offset(wall - before) == before { return wall - before }
            if offset(wall - after) == after { return wall - after }
            return wall - before
        }
        var walls = Array(stride(from: Int64(-2_208_900_000), to: 4_102_444_800, by: 5 * 86_400 + 3_607))
        var time = Date(timeIntervalSince1970: -2_208_900_000)
        while let next = zone.nextDaylightSavingTimeTransition(after: time), next > time,
            next.timeIntervalSince1970 < 4_102_444_800
        {
            let transition = Int64(next.timeIntervalSince1970) + offset(Int64(next.timeIntervalSince1970))
            walls += stride(from: transition - 9_000, through: transition + 9_000, by: 900)
            walls += [transition - 3_601, transition - 1, transition + 1, transition + 3_599]
            time = next
        }
        for wall in walls where clock.utc(fromWallClock: wall) != expected(wall) {
            Issue.record("\(wall) in \(identifier): \(clock.utc(fromWallClock: wall)), not \(expected(wall))")
        }
    }

    @Test func `rejects a zone that does not exist`() {
        for identifier in [
            "", "Mars/Olympus", "Asia/Seoul ", "../../etc/passwd", "/Asia/Seoul", "Asia//Seoul", "Asia", "tzdata.zi",
            "right/Asia/Seoul",
        ] {
            #expect(WallClock(identifier: identifier) == nil, "\(identifier)")
        }
    }
}
