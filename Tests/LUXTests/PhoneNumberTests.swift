import LUX
import Testing

@Suite struct PhoneNumberTests {
    @Test func `reads phone numbers and knows which Alimtalk reaches`() {
        let cases: [(text: String, e164: String?, isUsable: Bool)] = [
            ("+821012345678", "+821012345678", true), ("010-1234-5678", "+821012345678", true),
            ("01012345678", "+821012345678", true), ("+82 10-1234-5678", "+821012345678", true),
            ("+82 010-1234-5678", "+821012345678", true), ("(010) 1234.5678", "+821012345678", true),
            ("011-123-4567", "+82111234567", true), ("011-1234-5678", "+821112345678", true),
            ("016-123-4567", "+82161234567", true), ("0171234567", "+82171234567", true),
            ("018-123-4567", "+82181234567", true), ("019-1234-5678", "+821912345678", true),
            ("010-123-4567", "+82101234567", false), ("010-1234-56789", nil, false),
            ("011-123-456", "+8211123456", false),
            ("+8210123456789", "+8210123456789", false), ("012-1234-5678", "+821212345678", false),
            ("013-1234-5678", "+821312345678", false), ("015-1234-5678", "+821512345678", false),
            ("02-123-4567", "+8221234567", false), ("070-1234-5678", "+827012345678", false),
            ("+12025550123", "+12025550123", false), ("+4915112345678", "+4915112345678", false),
            ("821012345678", nil, false), ("+0101234567", nil, false), ("+82", nil, false), ("", nil, false),
            ("+", nil, false), ("010-1234-567a", nil, false), ("０1012345678", nil, false), ("10 1234 5678", nil, false),
            ("+1234567890123456", nil, false), ("++821012345678", nil, false), ("010\u{0}12345678", nil, false),
            ("01012345678\n", nil, false), ("0082 10 1234 5678", nil, false), ("0\u{301}1012345678", nil, false),
        ]
        for (text, e164, isUsable) in cases {
            let number = PhoneNumber(text)
            #expect(number?.e164 == e164, "\(text.debugDescription)")
            #expect((number?.isUsableForAlimtalk ?? false) == isUsable, "\(text.debugDescription)")
        }
    }

    @Test func `writes a Korean number as it is dialled in Korea`() {
        for (text, domestic) in [
            ("+821012345678", "01012345678"), ("010-1234-5678", "01012345678"), ("011-123-4567", "0111234567"),
            ("+12025550123", "+12025550123"),
        ] {
            #expect(PhoneNumber(text)?.domestic == domestic)
        }
    }

    @Test func `masks a phone number`() {
        for (text, masked) in [
            ("010-1234-5678", "+8210****5678"), ("011-123-4567", "+8211****567"), ("+12025550123", "+1202****123"),
        ] {
            #expect(PhoneNumber(text)?.masked == masked)
        }
        for count in 8...15 {
            let number = PhoneNumber("+" + String(repeating: "9", count: count))
            let shown = number?.masked.filter { $0 != "*" }.count ?? .max
            #expect(shown <= count + 1 - 4, "four digits at least stay hidden of \(count)")
        }
    }
}
