import ArgumentParser
import LUXOperations
import LUXSettings

/// `lux-server doctor`
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract:
            "Look at configuration, database, clocks and certificate, and say what to do; exits 1 unless all is well."
    )

    @OptionGroup var output: OutputOptions

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let findings = Doctor(variables: options.variables()).findings()
        if output.json {
            output.print(Self.report(findings))
        } else {
            for finding in findings { print(finding) }
        }
        guard findings.allSatisfy({ $0.advice == nil }) else { throw ExitCode.failure }
    }

    private static func report(_ findings: [Doctor.Finding]) -> Report {
        var report = Report()
        report.add("errors", findings.count { $0.advice != nil })
        report.add(
            "findings",
            .rows(
                findings.map { finding in
                    var row = Report()
                    row.add("subject", .text(finding.subject))
                    row.add("detail", .text(finding.detail))
                    row.add("advice", .text(finding.advice))
                    return (text: finding.description, json: row.json)
                }))
        return report
    }
}
