import LUXTestSupport
import Testing

@testable import JSON

/// The size of a value stored as `jsonb`, against PostgreSQL itself.
@Suite struct StoredSizeTests {
    private func size(_ text: String) throws -> Int {
        try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in try reader.storedSize() }
    }

    private static let texts = [
        "null", "true", "false", "{}", "[]", "[[],{}]", "0", "-0", "-0.0", "0.00", "-0e5", "0e-5", "0e5", "0.0e3",
        "0.000e2", "1", "-1", "1.50", "1e0", "1E5", "1e-5", "-1.5e-3", "1.5e1", "1.50e1", "1.500e1", "123.456e-2",
        "123.456e2", "123.456e3", "123.456e4", "0.05e2", "0.0005e2", "-0.0005e3", "0.0005e4", "0.10e1", "10e-1",
        "100e-2", "1e308", "1e-307", "5e-324", "9.99e+300", "1E+5", "0.0000e-3",
        "12345678901234567890.12345678901234567890", #""""#, #""a\"\\\/\b\f\n\r\t""#,
        #""\u0001\u001f\u0020\u007f""#, #""\u00e9\uD834\uDD1E""#, "\"한글\u{7F}\"",
        #"{"a":1,"b":[1,2 , 3],"c":{"d":"e"}}"#, #"{"a":1,"a":"longer","a":2}"#, #"{"a":1,"\u0061":22}"#,
        #"{"é":1,"e\u0301":2}"#, #"{"a":{"b":1,"b":22},"a":{"b":333}}"#, #"{"":0,"\n":1}"#,
        " [ 1 , { \"a\" : 2 } ] ",
    ]

    @Test func `equals what PostgreSQL writes`() async throws {
        try await onThread {
            let sql = try TestDatabase.make().session()
            var generator = DocumentGenerator(random: SplitMix64(state: 0x51_2E))
            let documents = Self.texts + (0..<1_500).map { _ in generator.document(depth: 0) }
            for document in documents {
                let written = try sql.integer("select octet_length(($1::jsonb)::text)", [document])
                #expect(try size(document) == Int(written), "\(document)")
            }
        }
    }
}

/// Random JSON texts with few names, so that members repeat, and with every way to write a number or a character.
private struct DocumentGenerator {
    var random: SplitMix64

    private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    private mutating func space() -> String { pick(4) == 0 ? [" ", "\n", "\t", "  "][pick(4)] : "" }

    mutating func document(depth: Int) -> String {
        switch pick(depth > 3 ? 4 : 7) {
        case 0: return ["null", "true", "false"][pick(3)]
        case 1, 2: return number()
        case 3: return string()
        case 4:
            let elements = (0..<pick(5)).map { _ in space() + document(depth: depth + 1) + space() }
            return "[" + space() + elements.joined(separator: ",") + "]"
        default:
            let members = (0..<pick(6)).map { _ in
                space() + name() + space() + ":" + space() + document(depth: depth + 1) + space()
            }
            return "{" + space() + members.joined(separator: ",") + "}"
        }
    }

    private mutating func name() -> String {
        [#""a""#, #""b""#, #""\u0061""#, #""é""#, #""e\u0301""#, #""\n\"""#, string()][pick(7)]
    }

    private mutating func digits(_ count: Int) -> String {
        (0..<count).map { _ in String(pick(3) == 0 ? pick(10) : 0) }.joined()
    }

    private mutating func number() -> String {
        var text = pick(3) == 0 ? "-" : ""
        text += pick(2) == 0 ? "0" : "\(1 + pick(9))" + digits(pick(12))
        if pick(2) == 0 { text += "." + digits(1 + pick(11)) }
        if pick(2) == 0 { text += ["e", "E"][pick(2)] + ["", "+", "-"][pick(3)] + "\(pick(40))" }
        return text
    }

    private mutating func string() -> String {
        let parts = [
            "x", " ", "é", "한", "\u{1F600}", "\u{7F}", "\u{2028}", #"\""#, #"\\"#, #"\/"#, #"\b"#, #"\f"#, #"\n"#,
            #"\r"#, #"\t"#, #"\u0001"#, #"\u001F"#, #"\u0022"#, #"\u005c"#, #"\u00e9"#, #"\ud83d\ude00"#, #"\u0008"#,
        ]
        return "\"" + (0..<pick(8)).map { _ in parts[pick(parts.count)] }.joined() + "\""
    }
}
