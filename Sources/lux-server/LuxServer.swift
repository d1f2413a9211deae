import ArgumentParser
import Glibc
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
        endBySignals()
        main(nil)
    }

    /// The kernel ignores signals that the first process of a container does not handle. The server replaces these handlers.
    private static func endBySignals() {
        guard getpid() == 1 else { return }
        for number in [SIGTERM, SIGINT] {
            signal(number) { _exit(128 + $0) }
        }
    }
}
