import ArgumentParser
import LUXOperations
import LUXSettings

/// `lux-server doctor`
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract:
            "Look at configuration, database, clocks and certificate, and say what to do; exits 1 unless all is well.")

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let findings = Doctor(variables: options.variables()).findings()
        for finding in findings { print(finding) }
        guard findings.allSatisfy({ $0.advice == nil }) else { throw ExitCode.failure }
    }
}
