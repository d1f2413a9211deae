import ArgumentParser
import Foundation
import Logging
import Postgres

/// `lux-server serve`
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the API.")

    @Flag(help: "Apply missing migrations first.")
    var migrate = false

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let configuration = try options.configuration()
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

    /// Tells faults on standard error and ends the process with 78, if there are any.
    static func refuse(_ faults: [Configuration.Fault]) throws {
        for fault in faults { complain("\(fault)") }
        guard faults.isEmpty else { throw ExitCode(configurationFault) }
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
