import ArgumentParser
import LUXOperations
import LUXSettings
import Postgres

/// `lux-server device`: support commands for a device.
struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device",
        abstract: "Look at a device, disconnect it, change its codes or its log counter; each leaves an access record.",
        subcommands: [
            Show.self, Disconnect.self, ClearCodes.self, SetCodes.self, ResetLogCounter.self,
        ])

    /// Which device, and who acts.
    struct Options: ParsableArguments {
        @Argument(help: "The device's unique_id.")
        var uniqueID: String

        @OptionGroup var actor: ActorOptions

        @OptionGroup var output: OutputOptions

        @OptionGroup var configuration: ConfigurationOptions

        func run(_ action: (DeviceSupport) throws -> DeviceSupport.Outcome) throws {
            let databaseURL = try configuration.read { $0.read(\.database.url) }
            let actor = try actor.required()
            do {
                let session = try PostgresSession(connectionString: databaseURL)
                let outcome = try action(DeviceSupport(session: session, actor: actor))
                Environment.printError("support action \(outcome.audit)")
                output.print(outcome.report)
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

    /// `lux-server device clear-codes`
    struct ClearCodes: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Clear a device's serial_code and mac_id; the next connection records those that the app sends.")

        @OptionGroup var options: Options

        func run() throws {
            try options.run { try $0.clearCodes(options.uniqueID) }
        }
    }

    /// `lux-server device set-codes`
    struct SetCodes: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a device's serial_code, mac_id or both, where a wrong one was recorded.")

        @OptionGroup var options: Options

        @Option(help: "The serial_code; without it, it stays.")
        var serialCode: String?

        @Option(help: "The mac_id; without it, it stays.")
        var macID: String?

        func validate() throws {
            guard serialCode != nil || macID != nil else {
                throw ValidationError("--serial-code, --mac-id or both are required")
            }
        }

        func run() throws {
            try options.run { try $0.setCodes(options.uniqueID, serialCode: serialCode, macID: macID) }
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
