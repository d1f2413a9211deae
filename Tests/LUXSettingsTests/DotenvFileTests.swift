import Testing

@testable import LUXSettings

/// Files of variables are read as systemd reads `EnvironmentFile=`.
@Suite struct DotenvFileTests {
    @Test(arguments: [
        ("A=b", "b"), ("A=", ""), ("  A =  b  ", "b"), ("A=b # c", "b # c"), ("A=b#c", "b#c"),
        ("A=[LUX] #{children} contact", "[LUX] #{children} contact"), ("A='b # $c \\n'", "b # $c \\n"),
        (#"A="b \"c\" \$d \\ \n \`e""#, #"b "c" $d \ \n `e"#), ("A=''", ""), ("A=b=c", "b=c"),
        ("A=host=a'b", "host=a'b"), ("; x\n# B=c\n\nA=한글\r\n", "한글"), ("A=b\\\nc", "bc"), ("A=b\\ ", "b "),
        ("A='b'c", "bc"), ("A='b\nc'", "b\nc"), ("A=\"b\\\nc\"", "bc"), ("A=x\nA=b", "b"), ("A=\"b\" # c", "b# c"),
    ]) func `a variable`(_ text: String, _ value: String) throws {
        #expect(try DotenvFile.entries(text).map { [$0.name, $0.value] } == [["A", value]])
    }

    @Test func `variables have the lines of their names`() throws {
        let entries = try DotenvFile.entries("A='1\n2'\n# x\nB=3\n")
        #expect(entries.map(\.name) == ["A", "B"] && entries.map(\.line) == [1, 4])
    }

    @Test(arguments: [
        ("A", 1, "is not NAME=value"), ("# x\n\n=b", 3, "is not NAME=value"), ("1A=b", 1, "is not NAME=value"),
        ("A B=c", 1, "is not NAME=value"), ("export A=b", 1, "is not NAME=value"), ("é=b", 1, "is not NAME=value"),
        ("A='hidden", 1, "A: a quotation mark"), ("B=c\nA=\"hidden\\\"", 2, "A: a quotation mark"),
    ]) func `an error is reported with its line and without the value`(_ text: String, _ line: Int, _ reason: String) {
        do throws(DotenvFile.SyntaxError) {
            _ = try DotenvFile.entries(text)
            Issue.record("accepted: \(text)")
        } catch {
            #expect(error.line == line && error.reason.hasPrefix(reason) && !error.reason.contains("hidden"))
        }
    }
}
