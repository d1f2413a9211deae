import Logging
import Testing

@testable import LogOutput

@Suite struct LogLineTests {
    private static let time = LogTime(seconds: 1_732_761_353, milliseconds: 610)

    private func line(_ style: LogStyle, _ message: String = "request", _ fields: (inout LogLine) -> Void) -> String {
        var line = LogLine(style, Self.time, .info, message)
        fields(&line)
        return String(decoding: line.end(), as: UTF8.self)
    }

    @Test func `is one JSON object with its fields in order`() {
        let text = line(.json) {
            $0.field("route", "/healthz")
            $0.field("status", Int64(200))
            $0.field("user_id", .min)
            $0.field("duration_ms", milliseconds: 12.3456)
        }
        #expect(
            text == #"{"time":"2024-11-28T02:35:53.610Z","level":"info","message":"request","route":"/healthz","#
                + #""status":200,"user_id":-9223372036854775808,"duration_ms":12.346}"# + "\n")
    }

    @Test(
        arguments: [
            (0, "0.000"), (0.0004, "0.000"), (0.0006, "0.001"), (1, "1.000"), (9.9999, "10.000"),
            (60_000.05, "60000.050"),
            (-1, "0.000"), (.infinity, "9223372036854775.807"),
        ]) func `has milliseconds with three decimals`(_ milliseconds: Double, _ text: String)
    {
        #expect(line(.json) { $0.field("d", milliseconds: milliseconds) }.hasSuffix(",\"d\":\(text)}\n"))
    }

    /// Of each value: how JSON has it, and how text has it.
    @Test(
        arguments: [
            ("", #""""#, #""""#), ("abc", #""abc""#, "abc"), ("a b", #""a b""#, #""a b""#),
            ("a=b", #""a=b""#, #""a=b""#),
            (#"a"b\"#, #""a\"b\\""#, #""a\"b\\""#), ("a\nb", #""a\u000ab""#, #""a b""#),
            ("\u{1B}[31m", #""\u001b[31m""#, #"" [31m""#), ("a\u{7F}", #""a\u007f""#, #""a ""#),
            ("\u{85}x\u{9B}31m\u{9F}", #""\u0085x\u009b31m\u009f""#, #"" x 31m ""#), ("\0", #""\u0000""#, #"" ""#),
            ("눈", #""눈""#, #""눈""#), ("\u{A0}é", "\"\u{A0}é\"", "\"\u{A0}é\""), ("👁", #""👁""#, #""👁""#),
        ]) func `lets no value end the line or control a terminal`(_ value: String, _ json: String, _ text: String)
    {
        #expect(line(.json) { $0.field("v", value) }.hasSuffix(",\"v\":\(json)}\n"))
        #expect(line(.text(colored: false)) { $0.field("v", value) }.hasSuffix(" v=\(text)\n"))
    }

    @Test func `has columns in text, and a colored level where that is wanted`() {
        #expect(
            line(.text(colored: false)) { $0.field("status", Int64(200)) }
                == "2024-11-28T02:35:53.610Z info     request      status=200\n")
        #expect(
            line(.text(colored: false), "slow request") { $0.field("status", Int64(200)) }
                == "2024-11-28T02:35:53.610Z info     slow request status=200\n")
        #expect(
            line(.text(colored: true), "a\u{1B}b") { _ in }
                == "2024-11-28T02:35:53.610Z \u{1B}[32minfo\u{1B}[0m     a b         \n")
    }
}
