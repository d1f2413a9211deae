import ArgumentParser
import LUXOperations
import LUXSettings

/// `lux-server config`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "The configuration.", subcommands: [Check.self])

    /// `lux-server config check`
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what is in force and where it comes from, with secrets masked, and all errors.")

        @OptionGroup var output: OutputOptions

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let report = ConfigurationReport(variables: options.variables())
            if output.json {
                output.print(Self.report(report))
            } else {
                for line in report.lines { print(line) }
            }
            for warning in report.advice { Environment.printError("warning: \(warning)") }
            try Environment.exitIfInvalid(report.errors)
        }

        private static func report(_ configuration: ConfigurationReport) -> Report {
            var report = Report()
            report.add(
                "variables",
                .rows(configuration.rows.map { row(("name", $0.name), ("value", $0.value), ("source", $0.source)) }))
            for (name, errors) in [("errors", configuration.errors), ("warnings", configuration.advice)] {
                report.add(name, .rows(errors.map { row(("variable", $0.variable), ("reason", $0.reason)) }))
            }
            return report
        }

        private static func row(_ members: (name: String, text: String)...) -> (text: String, json: String) {
            var row = Report()
            for member in members { row.add(member.name, .text(member.text)) }
            return (text: row.table, json: row.json)
        }
    }
}
