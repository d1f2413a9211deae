import Foundation
import Testing

@testable import TimeZones

@Suite struct TimeZoneFileTests {
    private static func zone(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "\(WallClock.folder)/\(name)")))
    }

    /// Every zone of the system, by its path in the folder.
    private static let zones: [String] = {
        let names = FileManager.default.enumerator(atPath: WallClock.folder)?.compactMap { $0 as? String } ?? []
        return names.filter { name in
            (try? zone(name))?.starts(with: Array("TZif".utf8)) == true && !name.hasPrefix("right/")
        }
    }()

    @Test func `every zone of the system can be read, and each truncated file is rejected`() throws {
        #expect(Self.zones.count > 300)
        for name in Self.zones { #expect(TimeZoneFile(try Self.zone(name)) != nil, "\(name)") }
        for name in ["Asia/Seoul", "Europe/Dublin"] {
            let file = try Self.zone(name)
            for length in 0..<file.count { #expect(TimeZoneFile(Array(file[..<length])) == nil, "\(name), \(length)") }
        }
    }

    @Test func `a file that is changed anywhere is read or rejected, and crashes nothing`() throws {
        let file = try Self.zone("Asia/Seoul")
        for place in file.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var changed = file
                changed[place] = value
                guard let clock = TimeZoneFile(changed).map({ WallClock($0) }) else { continue }
                _ = clock.utc(fromWallClock: 1_740_000_000) + clock.offset(at: 1_740_000_000)
            }
        }
    }

    @Test(arguments: ["Europe/Berlin", "America/New_York", "Europe/Dublin", "Australia/Lord_Howe"])
    func `a rule continues the transitions of a file`(_ name: String) throws {
        let file = try #require(TimeZoneFile(try Self.zone(name)))
        let rule = try #require(file.rule)
        let listed = file.transitions.filter { (1_577_836_800..<2_114_380_800).contains($0.time) }
        // From 2020 to 2036; files may list these years or leave them to the rule.
        let ruled = (2_020..<2_037).flatMap { rule.transitions(in: $0) }
        #expect(ruled.count == 34)
        #expect(listed.isEmpty || listed == ruled)
    }

    @Test(
        arguments: [
            ("KST-9", [1_735_657_200], [32_400]),
            ("<+0330>-3:30", [1_735_677_000], [12_600]),
            ("EST5EDT,M3.2.0,M11.1.0", [1_741_503_600, 1_762_063_200], [-14_400, -18_000]),
            ("CET-1CEST,M3.5.0,M10.5.0/3", [1_743_296_400, 1_761_440_400], [7_200, 3_600]),
            // Dublin's summer is its standard time.
            ("IST-1GMT0,M10.5.0,M3.5.0/1", [1_743_296_400, 1_761_440_400], [3_600, 0]),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", [1_743_296_400, 1_761_440_400], [-3_600, -7_200]),
            // Days of the year: 60 without 29 February and 59 with it are 1 March in 2025.
            ("AAA0BBB,J60/0,300/0", [1_740_787_200, 1_761_606_000], [3_600, 0]),
            ("AAA0BBB-2,59,J365/167:59:59", [1_740_794_400, 1_767_736_799], [7_200, 0]),
        ] as [(String, [Int64], [Int64])])
    func `a rule gives the transitions of 2025`(_ text: String, _ times: [Int64], _ offsets: [Int64]) throws {
        let transitions = try #require(TimeZoneRule(text.utf8)).transitions(in: 2_025)
        #expect(transitions.map(\.time) == times)
        #expect(transitions.map(\.offset) == offsets)
    }

    @Test(arguments: [
        "", "KS-9", "KST", "KST-", "KST-9x", "KST-25", "KST-24:60", "EST5EDT25", "<+09-9", "EST5EDT", "EST5EDT,M3.2.0",
        "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J365", "EST5EDT,0,366", "EST5EDT,0/2:60,1",
        "EST5EDT,M3.2.0,M11.1.0,", "EST5EDT,M3.2.0,M11.1.0/",
    ])
    func `a text that is no rule is rejected`(_ text: String) {
        #expect(TimeZoneRule(text.utf8) == nil)
    }
}
