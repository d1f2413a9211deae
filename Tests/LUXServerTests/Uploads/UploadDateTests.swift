import LUXTestSupport
import Testing

/// POST devlog: spellings of `treatment_date`.
@Suite struct UploadDateTests {
    let world: World

    init() throws { world = try World() }

    private static let good: [(sent: String, utc: String)] = [
        ("2025-02-21T15:48:49", "2025-02-21T06:48:49.000Z"), ("2025-02-21 15:48:49", "2025-02-21T06:48:49.000Z"),
        ("2025-02-21T15:48:49Z", "2025-02-21T15:48:49.000Z"), ("2025-02-21t15:48:49z", "2025-02-21T15:48:49.000Z"),
        ("2025-02-21T15:48:49.5", "2025-02-21T06:48:49.500Z"), ("2025-02-21T15:48:49,25Z", "2025-02-21T15:48:49.250Z"),
        ("2025-02-21T15:48:49.123456Z", "2025-02-21T15:48:49.123Z"),
        ("2025-02-21T15:48:49.123456789Z", "2025-02-21T15:48:49.123Z"),
        ("2025-02-21T15:48:49+09:00", "2025-02-21T06:48:49.000Z"),
        ("2025-02-21T15:48:49+0900", "2025-02-21T06:48:49.000Z"),
        ("2025-02-21T15:48:49-03:30", "2025-02-21T19:18:49.000Z"),
        ("2025-02-21T15:48:49+00:00", "2025-02-21T15:48:49.000Z"),
        ("2025-01-01T00:00:00+14:00", "2024-12-31T10:00:00.000Z"), ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
        ("2024-12-31T23:59:60Z", "2025-01-01T00:00:00.000Z"), ("2025-02-21T15:48:60Z", "2025-02-21T15:49:00.000Z"),
        ("2000-02-29T23:59:59.999Z", "2000-02-29T23:59:59.999Z"), ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"), ("2099-12-31T23:59:59Z", "2099-12-31T23:59:59.000Z"),
        ("2025-02-14T15:48", "2025-02-14T06:48:00.000Z"), ("2025-02-14 15:48Z", "2025-02-14T15:48:00.000Z"),
        ("2025-02-14T15:48+09", "2025-02-14T06:48:00.000Z"), ("2025-02-14T15:48:49-11", "2025-02-15T02:48:49.000Z"),
    ]

    @Test func `reads a date-time with and without offset and fraction`() throws {
        for (sent, utc) in Self.good {
            let (user, child, device) = try world.family()
            let record = World.record(child: child, device: device, date: sent, flag: 1, file: 1)
            expect(try world.upload([record], as: user), json: Saved.complete, sent)
            #expect(try world.logs(of: device) == ["\(child) | 1 | \(utc) | 1 | 2 | 60 | -"], "\(sent)")
        }
    }

    private static let bad = [
        "", " ", "2025-02-21", "2025-02-21T", "2025-02-21T15", "15:48:49", "20250221T154849",
        "2025-02-21T154849", "2025-02-21T24:00:00", "2025-02-21T15:60:00", "2025-02-21T15:48:61",
        "2025-02-30T15:48:49", "2025-02-29T15:48:49", "1900-02-29T15:48:49", "2025-13-01T15:48:49",
        "2025-00-01T15:48:49", "2025-01-00T15:48:49", "2025-04-31T15:48:49", "2025-1-1T15:48:49",
        "25-01-01T15:48:49", "2025-02-21T5:48:49", "2025-02-21T15:48:49.", "2025-02-21T15:48:49.x",
        "2025-02-21T15:48:49+9", "2025-02-21T15:48:49+09:60", "2025-02-21T15:48:49ZZ", "2025-02-21T15:48:49Z+09:00",
        " 2025-02-21T15:48:49", "2025-02-21T15:48:49 ", "2025-02-21  15:48:49", "2025/02/21T15:48:49",
        "2025-02-21_15:48:49", "2025-02-21T-1:48:49", "+2025-02-21T15:48:49", "2025-W08-5T15:48:49", "now",
        "1740120529", "2025-02-21 15:48:49 +09:00", "２０２５-02-21T15:48:49", "2025-02-21T15:48:49+09:00:00",
        "2025-02-21T15:48:49 Asia/Seoul", "9999-12-31T23:59:60Z", "9999-12-31T23:59:59-01", "0001-01-01T00:00:00+01",
    ]

    @Test func `rejects what is not a date-time of a day that exists`() throws {
        let (user, child, device) = try world.family()
        for sent in Self.bad {
            for flag in [nil, 1] {
                let record = World.record(child: child, device: device, date: sent, flag: flag)
                expectInvalid(
                    try world.upload([record], as: user), at: "log_arrays[0].detail_data.treatment_date", sent)
            }
        }
        #expect(try world.logs(of: device).isEmpty)
    }

    /// Wall-clock time in New York: an ordinary day of each half year, the hour that March skips, the one that
    /// November has twice.
    private static let newYork: [(sent: String, utc: [String])] = [
        ("2025-01-15T12:00:00", ["2025-01-15T17:00:00.000Z"]), ("2025-07-15T12:00:00", ["2025-07-15T16:00:00.000Z"]),
        ("2025-03-09T01:59:59", ["2025-03-09T06:59:59.000Z"]), ("2025-03-09T02:30:00", ["2025-03-09T07:30:00.000Z"]),
        ("2025-03-09T03:00:00", ["2025-03-09T07:00:00.000Z"]),
        ("2025-11-02T01:30:00", ["2025-11-02T05:30:00.000Z", "2025-11-02T06:30:00.000Z"]),
        ("2025-07-15T12:00:00+09:00", ["2025-07-15T03:00:00.000Z"]),
    ]

    @Test func `takes a date-time without offset as wall-clock time in LUX_TIMEZONE`() throws {
        let world = try World.own(environment: ["LUX_TIMEZONE": "America/New_York"])
        for (sent, utc) in Self.newYork {
            let (user, child, device) = try world.family()
            let record = World.record(child: child, device: device, date: sent, flag: 1, file: 1)
            expect(try world.upload([record], as: user), json: Saved.complete, sent)
            let possible = utc.map { ["\(child) | 1 | \($0) | 1 | 2 | 60 | -"] }
            let logs = try world.logs(of: device)
            #expect(possible.contains(logs), "\(sent) → \(logs)")
        }
        world.server.stop()
    }
}
