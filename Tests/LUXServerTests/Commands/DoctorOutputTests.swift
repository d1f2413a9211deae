import LUXTestSupport
import Testing

/// lux-server doctor --json
@Suite struct DoctorOutputTests {
    @Test func `prints its findings as an object for programs`() throws {
        let environment = [
            "DATABASE_URL": "host=127.0.0.1 port=1 user=nobody", "LUX_JWT_SECRET": Token.secret,
        ]
        let table = try LUXCommand.run(["doctor"], environment: environment)
        let run = try LUXCommand.run(["doctor", "--json"], environment: environment)
        #expect(run.ending == .exit(1))
        let object = try #require(JSONValue(run.output), "\(run.output)")
        let findings = try #require(object["findings"]?.items)
        let errors = findings.filter { $0["advice"]?.string != nil }
        #expect(object["errors"]?.integer == Int64(errors.count) && !errors.isEmpty)
        for finding in findings {
            let subject = try #require(finding["subject"]?.string)
            let isError = finding["advice"]?.string != nil
            #expect(finding["detail"]?.string != nil)
            #expect(
                table.output.contains("\(isError ? "error" : "ok   ")  \(subject): "), "\(table.output)")
        }
    }
}
