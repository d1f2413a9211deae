import Testing

@testable import LUXSettings

@Suite struct DotenvFileTests {
    @Test(arguments: [
        ("A=b", "b"), ("A=", ""), ("  export  A=b  ", "b"), ("A=b # why", "b"), ("A=b#c", "b#c"), ("A= # none", ""),
        ("A=#none", ""), ("A='b # $c \\n'", "b # $c \\n"), (#"A="b \"c\" \$d \\ \ne" # why"#, "b \"c\" $d \\ \ne"),
        ("A=''", ""), ("A=b=c", "b=c"), ("A=host=a'b", "host=a'b"), ("# B=c\n\nA=한글\r\n", "한글"),
    ]) func `a variable`(_ text: String, _ value: String) throws {
        #expect(try DotenvFile.entries(text).map { [$0.name, $0.value] } == [["A", value]])
    }

    @Test(arguments: [
        ("A", 1, "is not NAME=value"), ("# x\n\n=b", 3, "is not NAME=value"), ("1A=b", 1, "is not NAME=value"),
        ("A B=c", 1, "is not NAME=value"), ("A = b", 1, "is not NAME=value"), ("é=b", 1, "is not NAME=value"),
        ("A='b", 1, "A: a quotation mark"), ("A=\"b\\\"", 1, "A: a quotation mark"), ("A=\"\\x\"", 1, "A: a backslash"),
        ("A=hidden c", 1, "A: something behind"), ("A='hidden'c", 1, "A: something behind"),
        ("A=b\nB=c\nA=d", 3, "A stands on line 1 already"),
    ]) func `a fault is told with its line and without the value`(_ text: String, _ line: Int, _ reason: String) {
        do throws(DotenvFile.Fault) {
            _ = try DotenvFile.entries(text)
            Issue.record("taken: \(text)")
        } catch {
            #expect(error.line == line && error.reason.hasPrefix(reason) && !error.reason.contains("hidden"))
        }
    }
}
