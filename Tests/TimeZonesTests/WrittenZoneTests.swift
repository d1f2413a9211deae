import Testing

@testable import TimeZones

/// Files that no system has: written here, byte by byte.
@Suite struct WrittenZoneTests {
    /// A file of version 2 with an empty block for version 1.
    private struct Zone {
        var version = UInt8(ascii: "2")
        var secondVersion: UInt8?
        var leapSeconds: [Int64] = []
        /// Times with the numbers of their types.
        var transitions: [(time: Int64, type: UInt8)] = []
        var offsets: [Int32] = [0]
        var names = Array("AAA\0".utf8)
        var indicators = 0
        var rule = ""

        var bytes: [UInt8] {
            func number(_ value: some FixedWidthInteger) -> [UInt8] {
                withUnsafeBytes(of: value.bigEndian) { Array($0) }
            }
            func header(_ version: UInt8, _ counts: [Int]) -> [UInt8] {
                Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
                    + counts.flatMap { number(UInt32($0)) }
            }
            var bytes = header(version, [0, 0, 0, 0, 0, 0])
            bytes += header(
                secondVersion ?? version,
                [indicators, indicators, leapSeconds.count, transitions.count, offsets.count, names.count])
            bytes += transitions.flatMap { number($0.time) } + transitions.map(\.type)
            bytes += offsets.flatMap { number($0) + [0, 0] } + names
            bytes += leapSeconds.flatMap { number($0) + number(Int32(1)) }
            bytes += [UInt8](repeating: 0, count: 2 * indicators)
            return bytes + Array("\n\(rule)\n".utf8)
        }
    }

    /// 2025-01-01T00:00:00Z
    private static let newYear: Int64 = 1_735_689_600

    private func clock(_ zone: Zone) throws -> WallClock { WallClock(try #require(TimeZoneFile(zone.bytes))) }

    @Test func `a file that lacks what RFC 9636 requires, or counts leap seconds, is rejected`() {
        #expect(TimeZoneFile(Zone().bytes) != nil)
        #expect(TimeZoneFile(Zone(indicators: 1).bytes) != nil)
        let cases = [
            Zone(version: 0), Zone(secondVersion: UInt8(ascii: "3")), Zone(leapSeconds: [78_796_800]),
            Zone(transitions: [(5, 0), (5, 0)]), Zone(transitions: [(5, 1)]), Zone(offsets: []), Zone(names: []),
            Zone(offsets: [200_000]), Zone(indicators: 2), Zone(rule: "KST"),
        ]
        for (number, zone) in cases.enumerated() { #expect(TimeZoneFile(zone.bytes) == nil, "case \(number)") }
    }

    @Test(arguments: [Int64.min, .min + 1, -1 << 60, 1 << 60, .max - 1, .max])
    func `a transition that no calendar has is rejected`(_ time: Int64) {
        for offset: Int32 in [-3_600, 3_600] {
            #expect(TimeZoneFile(Zone(transitions: [(time, 1)], offsets: [0, offset]).bytes) == nil)
        }
    }

    @Test(arguments: [-1 << 59, -1 << 40, 0, 1 << 40] as [Int64])
    func `any other transition applies from its time on`(_ time: Int64) throws {
        let clock = try clock(Zone(transitions: [(time, 1)], offsets: [-3_600, 3_600]))
        if time < 1 << 35 { #expect(clock.offset(at: time) == 3_600) }
        #expect(clock.offset(at: time - 1) == -3_600)
        #expect(clock.utc(fromWallClock: -1 << 59) == (-1 << 59) + 3_600)
    }

    @Test func `without a transition and a rule one offset applies at all times`() throws {
        let clock = try clock(Zone(offsets: [5_400]))
        for time: Int64 in [-60_000_000_000, 0, Self.newYear, 250_000_000_000] {
            #expect(clock.offset(at: time) == 5_400)
            #expect(clock.utc(fromWallClock: time) == time - 5_400)
        }
    }

    @Test func `summer time may last all year`() throws {
        // RFC 9636, section 3.3.1: the end of each year's is the start of the next.
        let clock = try clock(Zone(offsets: [-14_400], rule: "XXX3EDT4,0/0,J365/23"))
        let other = try self.clock(Zone(offsets: [-14_400], rule: "EST5EDT,0/0,J365/25"))
        for quarter in -200...200 as ClosedRange<Int64> {
            let time = Self.newYear + quarter * 900
            for clock in [clock, other] {
                #expect(clock.offset(at: time) == -14_400, "\(quarter) quarters")
                #expect(clock.utc(fromWallClock: time) == time + 14_400, "\(quarter) quarters")
            }
        }
    }

    @Test func `summer time may begin in one year and end in the next`() throws {
        let clock = try clock(Zone(offsets: [39_600], rule: "AAA-10BBB,M10.1.0,M4.1.0/3"))
        #expect(clock.offset(at: Self.newYear) == 39_600)
        #expect(clock.offset(at: Self.newYear + 150 * 86_400) == 36_000)
        // A week of hours carries a change of 31 December into January.
        let late = try self.clock(
            Zone(transitions: [(Self.newYear + 86_400, 1)], offsets: [0, 3_600], rule: "AAA0BBB,J180,J365/100"))
        #expect(late.offset(at: Self.newYear + 2 * 86_400) == 3_600)
        #expect(late.offset(at: Self.newYear + 5 * 86_400) == 0)
    }
}
