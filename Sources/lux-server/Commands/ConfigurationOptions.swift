import ArgumentParser
import FoundationEssentials
import Glibc
import LUXSettings

/// The options of every command that reads variables.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        help: "A file of variables, NAME=value a line; the environment comes first.", completion: .file())
    var config: String?

    /// The variables of this process.
    func variables() -> Variables {
        let variables = Variables(environment: ProcessInfo.processInfo.environment, file: config)
        variables.exportForDatabase()
        return variables
    }

    /// Reads some variables; errors are reported on standard error and end the process with 78.
    func read<T>(_ body: (inout EnvironmentReader) throws -> T) throws -> T {
        var reader = EnvironmentReader(variables())
        let value = try body(&reader)
        try Environment.exitIfInvalid(reader.errors)
        return value
    }

    /// The whole configuration; errors are reported on standard error and end the process with 78.
    func configuration(overriding overrides: [String: String] = [:]) throws -> Configuration {
        let variables = Variables(
            environment: ProcessInfo.processInfo.environment, file: config, overriding: overrides)
        variables.exportForDatabase()
        for warning in ConfigurationReport(variables: variables).warnings {
            Environment.printError("warning: \(warning)")
        }
        do throws(Configuration.VariableErrors) {
            return try Configuration(EnvironmentReader(variables), isTerminal: isatty(STDOUT_FILENO) == 1)
        } catch {
            try Environment.exitIfInvalid(error.errors)
            throw ExitCode(Environment.configurationError)
        }
    }
}
