import Bytes
import Foundation
import Testing

@Suite struct Base64URLTests {
    /// RFC 4648 section 10, without padding, and the two characters that differ from plain base64.
    static let vectors: [([UInt8], String)] = [
        ([], ""), ([0x66], "Zg"), ([0x66, 0x6F], "Zm8"), ([0x66, 0x6F, 0x6F], "Zm9v"),
        ([0x66, 0x6F, 0x6F, 0x62], "Zm9vYg"), ([0x66, 0x6F, 0x6F, 0x62, 0x61], "Zm9vYmE"),
        ([0x66, 0x6F, 0x6F, 0x62, 0x61, 0x72], "Zm9vYmFy"), ([0xFB, 0xEF, 0xBE], "----"), ([0xFF, 0xFF, 0xFF], "____"),
    ]

    @Test(arguments: vectors) func `the vectors of the RFC, both ways`(_ bytes: [UInt8], _ text: String) {
        #expect(Base64URL.encode(bytes) == text)
        #expect(Base64URL.decode(text.utf8) == bytes)
    }

    @Test(arguments: [
        "A", "AAAAA", "Zg==", "Zm8=", "Zh", "Zm9", "Z g", "Zg\n", "Zg.", "+/+/", "Zm9v=", "Z\u{0}g", "한글한", "Zm9vYg==",
    ]) func `padding, other characters and bits beyond the last byte are rejected`(_ text: String) {
        #expect(Base64URL.decode(text.utf8) == nil)
    }

    @Test func `each value has exactly one form`() {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var forms: [[UInt8]: Int] = [:]
        for one in alphabet {
            for two in alphabet {
                if let bytes = Base64URL.decode([one, two]) { forms[bytes, default: 0] += 1 }
            }
        }
        #expect(forms.count == 256)
        #expect(forms.values.allSatisfy { $0 == 1 })
    }

    @Test func `random bytes of every length agree with Foundation`() {
        var generator = SystemRandomNumberGenerator()
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let plain = Data(bytes).base64EncodedString()
            let text = plain.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
                .replacingOccurrences(of: "=", with: "")
            #expect(Base64URL.encode(bytes) == text)
            #expect(Base64URL.decode(text.utf8) == bytes)
        }
    }
}
