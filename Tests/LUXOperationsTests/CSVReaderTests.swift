import Testing

@testable import LUXOperations

@Suite struct CSVReaderTests {
    private func read(_ text: String) throws -> [CSVReader.Record] {
        var reader = CSVReader(Array(text.utf8))
        var records: [CSVReader.Record] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }

    @Test(
        arguments: [
            ("", []), ("a", [["a"]]), ("a\n", [["a"]]), ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]),
            ("a,,\n", [["a", "", ""]]), ("\n", [[""]]), (#""a""#, [["a"]]), ("\"a\r\nb\",c", [["a\r\nb", "c"]]),
            (#""a ""quoted"" word","b,c""#, [[#"a "quoted" word"#, "b,c"]]), (#""",x"#, [["", "x"]]),
            ("\u{FEFF}a,b\n", [["a", "b"]]), (" a , b ", [[" a ", " b "]]), ("이름,é\n", [["이름", "é"]]),
        ] as [(String, [[String]])]) func `records and fields`(_ text: String, _ records: [[String]]) throws
    {
        #expect(try read(text).map(\.fields) == records)
    }

    @Test(arguments: [
        ("a\rb", 1), ("x\na\"b\"", 2), (#""abc"#, 1), ("x\n\"a\nb\nc", 2), (#""a"b"#, 1), ("x\ny\n\"a\" ,b", 3),
        ("a\0b", 1),
    ]) func `a fault is told with its line`(_ text: String, _ line: Int) {
        do {
            _ = try read(text)
            Issue.record("taken: \(text)")
        } catch let fault as CSVReader.Fault {
            #expect(fault.line == line)
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func `a record knows the line that it begins on`() throws {
        #expect(try read("a\n\"b\nb\"\nc\r\nd").map(\.line) == [1, 2, 4, 5])
    }

    @Test func `what is not UTF-8 is refused`() {
        var reader = CSVReader([0x61, 0xFF, 0x0A])
        #expect(throws: CSVReader.Fault.self) { try reader.next() }
    }
}
