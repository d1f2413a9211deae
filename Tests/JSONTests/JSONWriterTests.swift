import Foundation
import LUXTestSupport
import Testing

@testable import JSON

@Suite struct JSONWriterTests {
    private static let texts = [
        "", " ", "null", "\"", "\\", "\\\"", "\\u0041", "</script>", "한글", "é", "e\u{301}", "\u{FEFF}", "a\u{FEFF}",
        "\u{FFFD}", "\u{2028}\u{2029}", "\u{85}", "\u{202E}abc", "\u{200B}", "\u{E000}", "\u{FFFF}",
        "\u{1F468}\u{200D}\u{1F469}", "\u{10FFFF}", "𝒳𝓎", "ﷺ", "Ω≈ç√∫˜µ≤≥÷", "' OR 1=1 --", "$(touch /tmp/x)",
        "%s%n%00",
        "\r\nSet-Cookie: a=b", "NaN", "-0", "1e309", String(repeating: "\"\\", count: 5_000),
        String(repeating: "가", count: 5_000),
    ]

    private func text(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `members and elements are separated at every level`() {
        let written = text { json in
            json.object { json in
                json.member("a", Int64(1))
                json.member("b") { json in
                    json.member("c", "d")
                    json.member("e") { _ in }
                }
                json.member("f", raw: { $0.append(contentsOf: Array("[2]".utf8)) })
                json.member("g", nil as String?)
                json.member("h", nil as Int64?)
            }
        }
        #expect(written == #"{"a":1,"b":{"c":"d","e":{}},"f":[2],"g":null,"h":null}"#)
        let elements = text { json in
            json.array { json in
                json.object { $0.member("a", Int64(1)) }
                json.array { _ in }
                json.object { _ in }
            }
        }
        #expect(elements == #"[{"a":1},[],{}]"#)
    }

    @Test(arguments: [
        (Int64.min, "-9223372036854775808"), (-1, "-1"), (0, "0"), (9, "9"), (10, "10"),
        (Int64.max, "9223372036854775807"),
    ]) func `integers are written whole`(_ value: Int64, _ digits: String) {
        #expect(text { $0.object { $0.member("n", value) } } == #"{"n":\#(digits)}"#)
    }

    @Test func `every character survives being written and read`() throws {
        let controls = (0..<0x80).compactMap { Unicode.Scalar($0) }.map { String($0) }
        let corpus = Corpora.has(.naughtyStrings) ? try Corpora.naughtyStrings() : []
        for value in controls + [controls.joined()] + Self.texts + corpus {
            var bytes: [UInt8] = []
            JSONWriter.append(string: value, to: &bytes)
            let own = try JSONReader.read(bytes) { (reader) throws(JSONError) in try reader.string().value }
            #expect(Array(own.utf8) == Array(value.utf8), "read back by our own reader")
            // Foundation drops a byte order mark at the start of a string.
            guard !value.hasPrefix("\u{FEFF}") else { continue }
            let array = try JSONSerialization.jsonObject(with: Data([0x5B] + bytes + [0x5D])) as? [String]
            #expect(array?.first.map { Array($0.utf8) } == Array(value.utf8), "read back by Foundation")
            #expect(!bytes.contains { $0 < 0x20 }, "nothing that could break a line")
        }
    }
}
