import ArgumentParser
import Foundation
import LUXOperations
import LUXSettings
import Postgres

/// `lux-server device`: the support desk.
struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device",
        abstract: "Look at a device, disconnect it, or reset its log counter; each leaves an audit line.",
        subcommands: [Show.self, Disconnect.self, ResetLogCounter.self])

    /// Which device, and who acts.
    struct Options: ParsableArguments {
        @Argument(help: "The device's unique_id.")
        var uniqueID: String

        @Option(help: "Who does this, for the audit line; else SUDO_USER or USER.")
        var `operator`: String?

        @OptionGroup var configuration: ConfigurationOptions

        func run(_ action: (DeviceSupport) throws -> DeviceSupport.Report) throws {
            let databaseURL = try configuration.read { $0.read(\.database.url) }
            let environment = ProcessInfo.processInfo.environment
            let login = ["SUDO_USER", "USER"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
            guard let name = `operator` ?? login, !name.isEmpty else {
                throw ValidationError("--operator is required where neither SUDO_USER nor USER is set")
            }
            do {
                let session = try PostgresSession(connectionString: databaseURL)
                let report = try action(DeviceSupport(session: session, name: name))
                Environment.complain("support action \(report.audit)")
                print(report.lines.joined(separator: "\n"))
            } catch {
                throw Environment.failure(error)
            }
        }
    }

    /// `lux-server device show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a device: what it is, who has it, its logs and the last five support actions.")

        @OptionGroup var options: Options

        func run() throws {
            try options.run { try $0.show(options.uniqueID) }
        }
    }

    /// `lux-server device disconnect`
    struct Disconnect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Disconnect a device from its child, as un-connect does.")

        @OptionGroup var options: Options

        func run() throws {
            try options.run { try $0.disconnect(options.uniqueID) }
        }
    }

    /// `lux-server device reset-log-counter`
    struct ResetLogCounter: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a device's last_log_file_id, which uploads only raise.",
            discussion: """
                For a device whose counter was reset at the factory (0), or was driven up by a wrong upload: "device show" \
                prints the highest log_file_id that is stored. No log is changed.
                """)

        @OptionGroup var options: Options

        @Option(help: "The new last_log_file_id.")
        var to: Int64 = 0

        func validate() throws {
            // A log_file_id is a number of 32 bits.
            guard (0...Int64(Int32.max)).contains(to) else {
                throw ValidationError("--to must be an integer from 0 to \(Int32.max)")
            }
        }

        func run() throws {
            try options.run { try $0.resetLogCounter(options.uniqueID, to: to) }
        }
    }
}
