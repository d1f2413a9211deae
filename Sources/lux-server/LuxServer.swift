import ArgumentParser
import LUXServer
import OpenSSL

/// The program: `lux-server COMMAND`.
@main
struct LuxServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lux-server",
        abstract: "The backend of the LUX device API.",
        version: Version.current,
        subcommands: [
            Serve.self, Migrate.self, Dev.self, TokenCommand.self, Provision.self, AlimtalkCommand.self, Export.self,
            DeviceCommand.self, UserCommand.self, ChildCommand.self, RetentionCommand.self,
            DoctorCommand.self, ConfigCommand.self,
        ])

    static func main() {
        // A message's thread may be in the middle of a handshake when the process ends.
        OpenSSLLifetime.untilProcessEnds()
        main(nil)
    }
}
