import Testing

@testable import LUXOperations

@Suite struct CSVWriterTests {
    @Test func `is read back by the reader`() throws {
        let records = [["a", "b,c", "d\"e\"", "f\r\ng", "", "한글"], ["", "", "", "", "", ""]]
        var reader = CSVReader(records.flatMap { CSVWriter.record($0) })
        for record in records { #expect(try reader.next()?.fields == record) }
        #expect(try reader.next() == nil)
    }

    @Test(
        arguments: [
            ([nil, ""], ",\"\"\r\n"), (["a", nil], "a,\r\n"), (["a b"], "a b\r\n"), (["\""], "\"\"\"\"\r\n"),
        ] as [([String?], String)]) func `tells nothing from an empty text`(_ fields: [String?], _ text: String)
    {
        #expect(String(decoding: CSVWriter.record(fields), as: UTF8.self) == text)
    }
}
