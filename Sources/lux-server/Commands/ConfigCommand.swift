import ArgumentParser
import LUXSettings

/// `lux-server config`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "The configuration.", subcommands: [Check.self])

    /// `lux-server config check`
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what is in force and where it comes from, with secrets masked, and all errors.")

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let report = ConfigurationReport(variables: options.variables())
            for line in report.lines { print(line) }
            for warning in report.advice { Environment.complain("warning: \(warning)") }
            try Environment.refuse(report.faults)
        }
    }
}
