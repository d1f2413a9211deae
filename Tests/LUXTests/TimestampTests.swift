import LUX
import LUXTestSupport
import Testing
import TimeZones

@Suite struct TimestampTests {
    @Test func `writes UTC with three decimals, the rest cut off`() {
        let cases: [(microseconds: Int64, text: String)] = [
            (0, "1970-01-01T00:00:00.000Z"), (1_732_760_153_610_000, "2024-11-28T02:15:53.610Z"),
            (1_732_760_153_610_999, "2024-11-28T02:15:53.610Z"), (999, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (-1_000, "1969-12-31T23:59:59.999Z"),
            (-1_001, "1969-12-31T23:59:59.998Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"), (-2_203_891_200_000_000, "1900-03-01T00:00:00.000Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000Z"),
            (-62_135_596_800_000_001, "0001-01-01T00:00:00.000Z"), (.min, "0001-01-01T00:00:00.000Z"),
            (.min + 1, "0001-01-01T00:00:00.000Z"), (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000_000, "9999-12-31T23:59:59.999Z"), (.max, "9999-12-31T23:59:59.999Z"),
            (.max - 1, "9999-12-31T23:59:59.999Z"),
        ]
        for (microseconds, text) in cases { #expect(Timestamp(microseconds: microseconds).text == text) }
    }

    @Test func `appends to what is there`() {
        var bytes = Array("\"".utf8)
        Timestamp(microseconds: 0).appendISO8601(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "\"1970-01-01T00:00:00.000Z")
    }

    @Test func `counts every day of eight centuries`() throws {
        let utc = try #require(WallClock(identifier: "UTC"))
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        // 1600-01-01, a leap year at the start of a 400-year cycle.
        var day: Int64 = -135_140
        for year in 1600..<2400 {
            let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
            for (month, length) in lengths.enumerated() {
                for dayOfMonth in 1...(month == 1 && isLeap ? 29 : length) {
                    let date = "\(year)-\(padded(month + 1))-\(padded(dayOfMonth))"
                    let time = Timestamp(microseconds: day * 86_400_000_000 + 43_200_000_000)
                    guard time.text == "\(date)T12:00:00.000Z",
                        Timestamp.parseISO8601("\(date)T12:00:00Z".utf8, zone: utc) == time
                    else {
                        Issue.record("\(date) is day \(day), written as \(time.text)")
                        return
                    }
                    day += 1
                }
            }
        }
        #expect(day == 157_054, "2400-01-01")
    }

    @Test func `reads back what it writes`() throws {
        let utc = try #require(WallClock(identifier: "UTC"))
        var random = SplitMix64(state: 7)
        for _ in 0..<20_000 {
            let milliseconds = Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random)
            let time = Timestamp(microseconds: milliseconds * 1_000)
            #expect(Timestamp.parseISO8601(time.text.utf8, zone: utc) == time)
        }
    }

    @Test func `adds seconds and stops at the ends of the range`() {
        let cases: [(from: Int64, seconds: Int64, to: Int64)] = [
            (0, -30, -30_000_000), (5, 0, 5), (.min, -30, .min), (.min + 29_999_999, -30, .min),
            (.min + 30_000_000, -30, .min), (.max, 1, .max), (.max, -1, .max - 1_000_000), (0, .max, .max),
            (0, .min, .min), (.max, .min, .min), (.min, .max, .max),
        ]
        for (from, seconds, to) in cases {
            #expect(Timestamp(microseconds: from).adding(seconds: seconds).microseconds == to, "\(from) + \(seconds)")
        }
    }

    @Test func `orders by time`() {
        #expect(Timestamp(microseconds: -1) < Timestamp(microseconds: 0))
        #expect(!(Timestamp(microseconds: 0) < Timestamp(microseconds: 0)))
    }

    private func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
