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
            ("a,,\n", [["a", "", ""]]), ("\n", [[""]]), (#""a""#, [["a"]]),
            ("\"a\r\nb\",c", [["a\r\nb", "c"]]),
            (#""a ""quoted"" word","b,c""#, [[#"a "quoted" word"#, "b,c"]]), (#""",x"#, [["", "x"]]),
            ("\u{FEFF}a,b\n", [["a", "b"]]), (" a , b ", [[" a ", " b "]]), ("이름,é\n", [["이름", "é"]]),
        ] as [(String, [[String]])]) func `records and fields`(_ text: String, _ records: [[String]])
        throws
    {
        #expect(try read(text).map(\.fields) == records)
    }

    @Test(arguments: [
        ("a\rb", 1), ("x\na\"b\"", 2), (#""abc"#, 1), ("x\n\"a\nb\nc", 2), (#""a"b"#, 1),
        ("x\ny\n\"a\" ,b", 3),
        ("a\0b", 1),
    ]) func `reports an error with its line`(_ text: String, _ line: Int) {
        do {
            _ = try read(text)
            Issue.record("accepted: \(text)")
        } catch let error as CSVReader.SyntaxError {
            #expect(error.line == line)
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func `a record has the line that it begins on`() throws {
        #expect(try read("a\n\"b\nb\"\nc\r\nd").map(\.line) == [1, 2, 4, 5])
    }

    @Test func `rejects what is not UTF-8`() {
        var reader = CSVReader([0x61, 0xFF, 0x0A])
        #expect(throws: CSVReader.SyntaxError.self) { try reader.next() }
    }

    @Test func `reads the same in pieces of any size`() throws {
        let text = "\u{FEFF}a,\"b\"\"\r\nc\",한글\r\n,,\n\"\",x,\"y\""
        let whole = try read(text)
        #expect(whole.count == 3)
        for size in 1...text.utf8.count {
            var rest = Array(text.utf8)[...]
            var reader = CSVReader {
                defer { rest = rest.dropFirst(size) }
                return Array(rest.prefix(size))
            }
            for record in whole { #expect(try reader.next() == record, "\(size)") }
            #expect(try reader.next() == nil)
            #expect(reader.offset == text.utf8.count)
        }
    }

    @Test func `ends at a field that would fill the memory, and at an error of the source`() throws {
        for start in ["\"", ""] {
            var pieces = 0
            var reader = CSVReader {
                pieces += 1
                return pieces == 1 ? Array(start.utf8) + [0x78] : [UInt8](repeating: 0x78, count: 65_536)
            }
            #expect(throws: CSVReader.SyntaxError.self) { try reader.next() }
            #expect(pieces < 20)
        }
        struct Failure: Error, CustomStringConvertible { let description = "Input/output error" }
        var pieces = [Array("a,b\nc".utf8)]
        var reader = CSVReader {
            guard let piece = pieces.popLast() else { throw Failure() }
            return piece
        }
        #expect(try reader.next()?.fields == ["a", "b"])
        #expect(throws: CSVReader.SyntaxError(line: 2, reason: "cannot be read: Input/output error")) {
            try reader.next()
        }
    }
}
