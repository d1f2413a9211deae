import Bytes
import Testing

@Suite struct TrimmingTests {
    @Test(arguments: [
        ("", ""), (" \t\r\n ", ""), ("a", "a"), (" a b\r\n", "a b"), ("\na\r\nb\n", "a\r\nb"), ("\u{3000}가\u{A0}", "가"),
    ])
    func `white space is removed from both ends, and nowhere else`(_ text: String, _ trimmed: String) {
        #expect(text.trimmingWhitespace() == trimmed)
    }

    @Test func `only elements that satisfy the predicate are removed`() {
        #expect("  \ta ".trimming { $0 == " " } == "\ta")
        #expect([0, 0, 1, 0, 2, 0].trimming { $0 == 0 } == [1, 0, 2])
    }
}
