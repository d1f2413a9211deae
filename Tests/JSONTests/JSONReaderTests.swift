import LUXTestSupport
import Testing

@testable import JSON

@Suite struct JSONReaderTests {
    /// Whether a text is taken, with every value of it looked at.
    private func takes(_ bytes: [UInt8]) -> Bool {
        (try? JSONReader.read(bytes) { (reader) throws(JSONError) in try reader.skipValue() }) != nil
    }

    private func takes(_ text: String) -> Bool { takes(Array(text.utf8)) }

    private func number(_ text: String) throws(JSONError) -> Int64? {
        try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in try reader.number() }
    }

    private func string(_ text: String) throws(JSONError) -> String {
        try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in try reader.string().value }
    }

    @Test(
        arguments: [
            "null", "true", "false", "0", "-0", "1.5E+3", #""""#, #""a""#, "[]", "{}", "[[]]", "[null,1,\"2\",{}]",
            " [ 1 , 2 ] ", "\t{\r\n\"a\" : [ ] }\n", #"{"":0}"#, #"{"a":1,"a":1}"#, #"["\u0060\u012a\u12AB"]"#,
            #"["\uD801\udc37"]"#, #"["\"\\\/\b\f\n\r\t"]"#, #"["\u0000"]"#, "[\"\u{7F}\"]",
            "[\"\u{2028}\u{10FFFF}\"]", "[123e65]", "[0e+1]", "[1e-2]", "[-1]", "[20e1]", "[123.456e78]",
            "[0.4e00669999999999999999999999]", "[-1e+9999]", "[1.5e+9999]", "[-123123e100000]",
            "[100000000000000000000]", #"{"title":"\u041f"}"#,
        ])
    func `accepts what RFC 8259 allows`(_ text: String) { #expect(takes(text)) }

    @Test(
        arguments: [
            "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1]]", "[1]x", "[]{}", "{]",
            "[}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{"a":1,,"b":2}"#, #"{,"a":1}"#, #"{a:1}"#, "{1:1}", "{'a':1}",
            #"{"a":1 "b":2}"#, #"{"a"::1}"#, #"{"a",1}"#, #"{"a":1}#"#, "[/**/]", "[1//\n]", "nul", "NULL", "True",
            "tru", "truex", "[nan]", "[-Infinity]", "[+1]", "[01]", "[-01]", "[1.]", "[.5]", "[-.5]", "[1.e1]", "[1e]",
            "[1e+]", "[1eE2]", "[0x1]", "[1_0]", "[1a]", "[-]", "[--1]", "[2.e3]", "[1 000]", #"["a]"#, #"["\"]"#,
            #"["\x"]"#, #"["\u00A"]"#, #"["\uD800"]"#, #"["\uDC00"]"#, #"["\uD800\u0041"]"#, "[\"\n\"]", "[\"\u{0}\"]",
            "[\"\t\"]", "['a']", "\u{FEFF}[]", "[\u{A0}]", "[\u{0C}]", "\u{2060}[]", "[1\u{0}]", "*", "<null>",
            "[\"a\", 4, *]",
        ])
    func `rejects what RFC 8259 does not allow`(_ text: String) { #expect(!takes(text)) }

    /// An extra run, where the corpus is found.
    @Test(.enabled(if: Corpora.has(.jsonTestSuite)))
    func `accepts and rejects what JSONTestSuite says`() throws {
        let cases = try Corpora.jsonTestSuite()
        #expect(cases.count > 300)
        // Where the RFC leaves it open: numbers of any size are accepted, everything that is not Unicode text is rejected.
        for (name, bytes) in cases {
            let expected = name.hasPrefix("y_") || name.hasPrefix("i_number")
            #expect(takes(bytes) == expected, "\(name)")
        }
    }

    @Test func `rejects truncated and lengthened texts`() {
        let text = Array(#"{"a":[1,-2.5e+3,"é\u00e9\uD834\uDD1E\n",true,false,null,{}],"b":{"c":[]}}"#.utf8)
        #expect(takes(text))
        for count in 0..<text.count { #expect(!takes(Array(text[..<count])), "\(count)") }
        for byte in UInt8.min...UInt8.max {
            #expect(takes(text + [byte]) == [0x20, 0x0A, 0x0D, 0x09].contains(byte), "\(byte)")
        }
    }

    @Test func `no single changed byte crashes the reader`() {
        let text = Array(#"{"k\u0041":[1,-0.5e3,"x\uD834\uDD1Ey\n",true,null]}"#.utf8)
        var taken = 0
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                if takes(changed) { taken += 1 }
            }
        }
        #expect(taken > text.count)
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-1", -1), ("9223372036854775807", Int64.max),
            ("-9223372036854775808", Int64.min), ("9223372036854775808", nil), ("-9223372036854775809", nil),
            ("99999999999999999999999999", nil), ("1.0", nil), ("1e3", nil), ("1E+3", nil), ("-1.5e-7", nil),
        ] as [(String, Int64?)])
    func `an integer is read without loss or not as one`(_ text: String, _ value: Int64?) throws {
        #expect(try number(text) == value)
    }

    @Test(arguments: ["", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x10", "1_000", "NaN", "Infinity", "１"])
    func `rejects what is not a number`(_ text: String) {
        #expect(throws: JSONError.self) { try number(text) }
    }

    @Test(arguments: [
        (#""""#, ""), (#""a\"\\\/\b\f\n\r\tb""#, "a\"\\/\u{8}\u{c}\n\r\tb"), (#""\u00e9\u20AC""#, "é€"),
        (#""\uD834\uDD1E""#, "\u{1D11E}"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), (#""\u0000""#, "\0"),
        (#""한글""#, "한글"), (#""\\u0041""#, "\\u0041"),
    ]) func `escapes are read as their characters`(_ text: String, _ value: String) throws {
        #expect(try string(text) == value)
    }

    @Test(arguments: [
        #""\uD834""#, #""\uDD1E""#, #""\uD834\uD834""#, #""\uD834x""#, #""\uD834\n""#, #""\uD834\u0041""#,
        #""\uDD1E\uD834""#,
        #""\x41""#, #""\u12""#, #""\u12G4""#, #""\"#, #""abc"#, "\"a\nb\"", "\"a\u{1f}b\"", "'a'",
    ]) func `rejects lone surrogates, bad escapes and bare control characters`(_ text: String) {
        #expect(throws: JSONError.self) { try string(text) }
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
            [0xEF, 0xBB, 0xBF, 0x31], [0x22, 0xE2, 0x82, 0x22],
        ] as [[UInt8]]) func `rejects what is not UTF-8 or begins with a byte order mark`(_ bytes: [UInt8])
    {
        #expect(!takes(bytes))
    }

    @Test func `values are nested up to the limit and no deeper`() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(takes(nested(JSONReader.depthLimit)))
        #expect(throws: JSONError(kind: .tooDeep, offset: JSONReader.depthLimit)) {
            try JSONReader.read(Array(nested(JSONReader.depthLimit + 1).utf8)) { (reader) throws(JSONError) in
                try reader.skipValue()
            }
        }
        #expect(!takes(String(repeating: #"{"a":"#, count: 100_000)))
        #expect(takes("[" + Array(repeating: "[]", count: 1_000).joined(separator: ",") + "]"))
    }

    @Test func `of two members with one name the caller sees both, in order`() throws {
        var seen: [String] = []
        try JSONReader.read(Array(#"{"a":1,"\u0061":2,"b":3}"#.utf8)) { (reader) throws(JSONError) in
            try reader.object { (name, reader) throws(JSONError) in
                seen.append("\(name.value)\(name == "a" ? "=" : "≠")\(try reader.number() ?? -1)")
            }
        }
        #expect(seen == ["a=1", "a=2", "b≠3"])
    }

    @Test(arguments: [(#"["\u0000"]"#, 1), (#"{"\u0000":"\u0000\u0000"}"#, 3), (#"["\\u0000"]"#, 0), ("[0]", 0)])
    func `NUL characters are counted, those of names too`(_ text: String, _ count: Int) throws {
        let counted = try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in
            try reader.skipValue()
            return reader.nulCount
        }
        #expect(counted == count)
    }

    @Test func `a value's bytes are found as they were sent`() throws {
        let text = Array(#" { "d" : {"x" : [1, 2.50], "y":"é\n"} , "e":1}"#.utf8)
        var found: Range<Int>?
        try JSONReader.read(text) { (reader) throws(JSONError) in
            try reader.object { (name, reader) throws(JSONError) in
                let start = reader.offset
                try reader.skipValue()
                if name == "d" { found = start..<reader.offset }
            }
        }
        let range = try #require(found)
        #expect(String(decoding: text[range], as: UTF8.self) == #"{"x" : [1, 2.50], "y":"é\n"}"#)
    }

    @Test(arguments: [("{", 1), ("[1,]", 3), ("[1 2]", 3), (#"{"a" 1}"#, 5), ("nul", 0), ("1 1", 2), (#"{"a":1,}"#, 7)])
    func `reports an error with its offset`(_ text: String, _ offset: Int) {
        #expect(throws: JSONError(kind: .syntax, offset: offset)) {
            try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in try reader.skipValue() }
        }
    }
}
