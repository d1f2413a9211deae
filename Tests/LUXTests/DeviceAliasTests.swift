import LUX
import Testing

@Suite struct DeviceAliasTests {
    @Test func `trims an alias and rejects what it must not be`() {
        let hundred = String(repeating: "가", count: 100)
        let cases: [(text: String, value: String?)] = [
            ("living room", "living room"), ("  a b\t", "a b"), ("\u{3000}거실\u{A0}\u{2028}", "거실"),
            ("\n\u{85}x\r\n", "x"),
            (hundred, hundred), (" \(hundred) ", hundred), (hundred + "가", nil), ("", nil), (" \t\u{2003}", nil),
            ("a\u{0}b", nil), ("a\tb", nil), ("a\nb", nil), ("a\u{7F}b", nil), ("a\u{9F}b", nil), ("a\u{85}b", nil),
            ("\u{0}a", nil), ("a\u{200B}b", "a\u{200B}b"), ("\u{200B}", nil), ("\u{AD}", nil),
            ("\u{3164}", nil), (" \u{2060}\u{FE0F}\u{E0001} \u{200D}", nil), ("\u{3164}a", "\u{3164}a"),
            // One character, 101 scalars: scalars are what counts.
            ("e" + String(repeating: "\u{301}", count: 100), nil),
            ("e" + String(repeating: "\u{301}", count: 99), "e" + String(repeating: "\u{301}", count: 99)),
            // A combining mark after a space at the start joins it into one character, and the space goes all the same.
            (" \u{301}a", "\u{301}a"), ("👨‍👩‍👧", "👨‍👩‍👧"),
        ]
        for (text, value) in cases {
            let alias = DeviceAlias(text)?.value
            #expect(alias.map { Array($0.utf8) } == value.map { Array($0.utf8) }, "\(text.debugDescription)")
        }
    }
}
