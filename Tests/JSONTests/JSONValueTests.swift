import JSON
import Testing

@Suite struct JSONValueTests {
    private func read(_ text: String) throws -> JSON.JSONValue { try JSON.JSONValue(Array(text.utf8)) }

    private func written(_ value: JSON.JSONValue) -> String {
        var bytes: [UInt8] = []
        value.append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-12", "1.50", "1e3", "9223372036854775808", #""""#, #""a\"\\é\u0001""#, "[]",
        #"[1,[2,{}],"x"]"#, #"{"b":1,"a":{"c":null},"b":2}"#,
    ]) func `writes what it has read, numbers and the order of members included`(_ text: String) throws {
        #expect(try written(read(text)) == text)
    }

    @Test func `of several members with one name the last one counts`() throws {
        let value = try read(#"{"a":1,"b":2,"a":"x"}"#)
        #expect(value["a"]?.string == "x" && value["c"] == nil && value.members?.count == 3)
        #expect(try read("[1]")["a"] == nil)
    }

    @Test func `a number has its text, its integer where it is one, and a double`() throws {
        let cases: [(text: String, integer: Int64?, double: Double)] = [
            ("12", 12, 12), ("1.5", nil, 1.5), ("1e2", nil, 100),
            ("9223372036854775807", .max, 9_223_372_036_854_775_808),
            ("9223372036854775808", nil, 9_223_372_036_854_775_808), ("-1e999", nil, -.infinity),
        ]
        for (text, integer, double) in cases {
            guard case .number(let number) = try read(text) else {
                Issue.record("\(text) is not a number")
                continue
            }
            #expect(number.text == text && number.integer == integer && number.double == double, "\(text)")
        }
    }

    @Test func `an element is found by its index, and nothing beyond the last one`() throws {
        let value = try read(#"["a","b"]"#)
        #expect(value[1]?.string == "b")
        #expect(value[2] == nil && value[-1] == nil)
        #expect(try read("{}")[0] == nil)
    }

    @Test(arguments: ["", "{", "[1,]", "nul", "1 2", "{'a':1}", #"{"a"}"#])
    func `anything else than one JSON text is an error`(_ text: String) {
        #expect(throws: JSONError.self) { try read(text) }
    }
}
