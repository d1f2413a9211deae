import LUXTestSupport
import Testing

@testable import LUXOperations

/// Codes and values in a provisioning file
@Suite struct CodeRulesTests {
    @Test(
        arguments: [
            ("41AD", nil), ("0041", nil), ("test1234", nil), ("12:34-56.78", nil), ("12E5", nil), ("1E+A", nil),
            ("E+04", nil), ("1.2.3E+04", nil), ("1.E+04", nil), ("41", "must have at least four"),
            ("4-1", "must have at"),
            ("1.20E+04", "is a number in scientific"), ("12e-3", "is a number in scientific"), ("3E+10", "is a number"),
            ("1,5E+4", "is a number in scientific"), ("#N/A", "is an error value"), ("####", "is an error value"),
            (" 41AD", "must not begin"), ("41\u{A0}AD", "must not contain white"),
            ("41\u{200B}AD", "must not contain a"),
            ("41AD\n", "must not begin or end"),
        ] as [(String, String?)])
    func `rejects codes that no app can send`(_ code: String, _ reason: String?) {
        let error = CodeRules.error(in: code, of: "mac_id")
        #expect(reason == nil ? error == nil : error?.hasPrefix(reason ?? "") == true, "\(error ?? "none")")
    }

    @Test(arguments: [
        ("mac_id", "41ad:FF", true), ("mac_id", "test1234", false), ("mac_id", "41Ａ0", false),
        ("birthdate", "20190305", true), ("birthdate", "19991231", true), ("birthdate", "20191305", false),
        ("birthdate", "20190532", false), ("birthdate", "18991231", false), ("birthdate", "2019-3-5", false),
        ("birthdate", "2019035", false), ("gender", "F", true), ("gender", "f", false),
    ])
    func `warns of values that are likely to be mistakes`(_ column: String, _ value: String, _ isPlausible: Bool) {
        #expect((CodeRules.warning(in: value, of: column) == nil) == isPlausible)
    }

    @Test func `checks a million codes in seconds`() {
        let clock = ContinuousClock()
        let time = clock.measure {
            for number in 0..<100_000 { _ = CodeRules.error(in: "SN\(number)", of: "serial_code") }
        }
        // 0.1 s in a debug build; with a regular expression for each it was ten times as much.
        #expect(time < Sanitizer.limit(.seconds(5)), "\(time)")
    }
}
