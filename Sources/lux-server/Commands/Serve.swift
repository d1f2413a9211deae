import ArgumentParser
import Concurrency
import FoundationEssentials
import Glibc
import Logging
import LogOutput
import LUXOperations
import LUXServer
import LUXSettings
import Postgres
import Systemd

/// `lux-server serve`
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the API.")

    @Flag(help: "Apply missing migrations first.")
    var migrate = false

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let configuration = try options.configuration()
        do {
            let environment = ProcessInfo.processInfo.environment
            // Before the process opens descriptors of its own.
            let sockets = try ActivatedSocket.all(environment: environment)
            var server = Server(configuration: configuration, log: Environment.log(configuration))
            server.sockets = sockets
            server.manager = ServiceManager(environment: environment)
            try server.run(migrate: migrate)
        } catch {
            throw Environment.failure(error)
        }
    }
}

/// What commands share: the environment, the logger, and how they fail.
enum Environment {
    /// `EX_CONFIG` of sysexits(3).
    static let configurationError: Int32 = 78

    /// Reports errors on standard error and ends the process with 78, if there are any.
    static func exitIfInvalid(_ errors: [Configuration.VariableError]) throws {
        for error in errors { printError("\(error)") }
        guard errors.isEmpty else { throw ExitCode(configurationError) }
    }

    /// The log of this process on standard output. It is written out before the process exits, from wherever it exits, within
    /// two seconds: a reader that has stopped does not keep the process from ending.
    static func log(_ configuration: Configuration) -> LineLog {
        let style: LogStyle =
            switch configuration.logFormat {
            case .json: .json
            case .text: .text(colored: configuration.logColors)
            }
        let log = LineLog(
            style: style, level: Logger.Level(rawValue: configuration.logLevel) ?? .info, descriptor: STDOUT_FILENO)
        writtenAtExit.withLock { $0 = log }
        atexit { Environment.writtenAtExit.withLock { $0 }?.flush(within: .seconds(2)) }
        return log
    }

    private static let writtenAtExit = Locked<LineLog?>(nil)

    /// Reports why a command failed. Errors of the database are reported without the values that they may quote.
    static func failure(_ error: any Error) -> any Error {
        if error is ExitCode || error is ValidationError { return error }
        if let invalid = error as? Configuration.VariableErrors {
            for error in invalid.errors { printError("\(error)") }
            return ExitCode(configurationError)
        }
        if error is ActivationError {
            printError("\(error)")
            return ExitCode(configurationError)
        }
        if let error = error as? MigrationError, case .pending = error {
            printError("\(error); run lux-server migrate")
        } else {
            printError("\(error)")
        }
        return ExitCode.failure
    }

    static func printError(_ text: String) {
        StandardError.write("lux-server: \(text)\n")
    }
}
