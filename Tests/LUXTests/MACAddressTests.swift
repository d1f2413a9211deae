import LUX
import Testing

@Suite struct MACAddressTests {
    @Test func `recognizes two MAC addresses of one device`() {
        let cases: [(one: String, other: String, same: Bool)] = [
            ("41AD", "41AD", true), ("41AD", "41ad", true), ("00:1B:44:11:41:AD", "41AD", true),
            ("00-1b-44-11-41-ad", "41AD", true), ("001b.4411.41ad", "41AD", true), ("00 1b 44 11 41 ad", "41:AD", true),
            ("001B441141AD", "00:1b:44:11:41:ad", true), ("001B441141AD", "1141AD", true),
            ("41AD", "41AE", false), ("001B441141AD", "1AD", false), ("1AD", "1AD", true), ("AD", "41AD", false),
            ("001B441141AD", "001B", false), ("001B441141AD", "4411", false), ("001B441141AD", "011B441141AD", false),
            ("", "41AD", false), ("", "", true), (":::", "-", true), ("4:1-A.D", "0041ad", true),
            ("test1234", "test1234", true), ("test1234", "TEST1234", true), ("test1234", "est1235", false),
        ]
        for (one, other, same) in cases {
            #expect(MACAddress.isSameDevice(one, other) == same, "\(one) and \(other)")
            #expect(MACAddress.isSameDevice(other, one) == same, "\(other) and \(one)")
        }
    }
}
