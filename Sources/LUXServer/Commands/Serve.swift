import ArgumentParser
import Foundation
import Glibc
import Logging
import Postgres

/// `lux-server serve`
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the API.")

    @Flag(help: "Apply missing migrations first.")
    var migrate = false

    func run() throws {
        let configuration = try Environment.configuration()
        let logger = Environment.logger(configuration)
        do {
            try Server(configuration: configuration, logger: logger).run(migrate: migrate)
        } catch {
            throw Environment.failure(error)
        }
    }
}

/// What commands share: the environment, the logger, and how they fail.
enum Environment {
    /// `EX_CONFIG` of sysexits(3).
    static let configurationFault: Int32 = 78

    /// The configuration; faults are told on standard error and end the process with 78.
    static func configuration(overriding overrides: [String: String] = [:]) throws -> Configuration {
        let environment = ProcessInfo.processInfo.environment.merging(overrides) { $1 }
        do throws(Configuration.Faults) {
            return try Configuration(environment: environment, isTerminal: isatty(STDOUT_FILENO) == 1)
        } catch {
            for fault in error.faults { complain("\(fault)") }
            throw ExitCode(configurationFault)
        }
    }

    static func logger(_ configuration: Configuration) -> Logger {
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
        return Logger(label: "lux-server") { _ in
            LineLogHandler(logLevel: level, format: configuration.logFormat)
        }
    }

    /// Tells why a command failed. Errors of the database are told without the values that they may quote.
    static func failure(_ error: any Error) -> any Error {
        if error is ExitCode || error is ValidationError { return error }
        complain("\(error)")
        return ExitCode.failure
    }

    static func complain(_ text: String) {
        FileHandle.standardError.write(Data("lux-server: \(text)\n".utf8))
    }
}
