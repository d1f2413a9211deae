import HTTP
import Testing

@testable import LUXAPI

@Suite struct BearerTokenTests {
    @Test(
        arguments: [
            ("Bearer abc", "abc"), ("bearer abc", "abc"), ("BEARER abc", "abc"), ("BeArEr   abc", "abc"),
            ("Bearer a b", "a b"), ("Bearer", nil), ("Bearer ", nil), ("Bearerabc", nil), ("Bearer\tabc", nil),
            ("Basic abc", nil), ("abc", nil), ("", nil), ("Bearer:abc", nil), ("\u{2}earer abc", nil),
            ("Token Bearer abc", nil),
        ] as [(String, String?)]) func `a token follows the scheme, which is read without case`(
            _ field: String, _ token: String?
        )
    {
        #expect(
            Authenticator.bearerToken(in: ArraySlice(field.utf8)).map { String(decoding: $0, as: UTF8.self) } == token)
    }
}

@Suite struct QueryIntegerTests {
    @Test(
        arguments: [
            ("1", 1), ("0", 0), ("-0", 0), ("-7", -7), ("9223372036854775807", Int64.max),
            ("-9223372036854775808", Int64.min), ("9223372036854775808", nil), ("", nil), ("-", nil), ("--1", nil),
            ("+1", nil),
            ("01", nil), ("-01", nil), ("1.0", nil), ("1e3", nil), (" 1", nil), ("1 ", nil), ("0x1", nil), ("１", nil),
            ("1\0", nil), ("abc", nil),
        ] as [(String, Int64?)]) func `an id in a query is a JSON integer`(_ text: String, _ value: Int64?)
    {
        #expect(DeviceRequest.integer(text) == value)
    }
}

@Suite struct RequestIDTests {
    private func id(_ fields: [String]) -> String {
        var headers = HTTPHeaders()
        for field in fields { headers.add("X-Request-ID", field) }
        return RequestID.of(headers)
    }

    @Test(arguments: ["a", "A-Z_09.x", String(repeating: "x", count: 128)])
    func `the client's own id is kept`(_ sent: String) {
        #expect(id([sent]) == sent)
    }

    @Test(arguments: [
        [], [""], ["a b"], ["a\"b"], ["a\u{e9}"], [String(repeating: "x", count: 129)], ["a", "a"], ["a;b"], ["../x/"],
    ]) func `anything else gets a new one`(_ sent: [String]) {
        let new = id(sent)
        #expect(!sent.contains(new))
        #expect(new.count == 32 && new.allSatisfy { $0.isHexDigit })
    }

    @Test func `new ones differ`() {
        #expect(Set((0..<10_000).map { _ in RequestID.new() }).count == 10_000)
    }
}

@Suite struct RouteTests {
    @Test func `the table contains the endpoints under their path`() {
        let device = Routes.table.filter { $0.path.hasPrefix("/api/v1/lux/device/") }
        #expect(device.count == 9)
        for route in device {
            guard case .user = route.access else {
                Issue.record("\(route.path) needs no token")
                continue
            }
        }
    }

    @Test func `no method and path occur in it twice`() {
        #expect(Set(Routes.table.map { "\($0.method.rawValue) \($0.path)" }).count == Routes.table.count)
    }
}
