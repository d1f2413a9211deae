import Foundation

/// One run of `lux-server` to its end.
package struct LUXCommand: Sendable {
    package let ending: ChildProcess.Ending?
    package let output: String
    package let errors: String

    /// The output of both streams.
    package var everything: String { output + errors }

    /// Runs the program with these variables and no others of the product.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], folder: String = Locations.package,
        seconds: Double = 60
    ) throws -> LUXCommand {
        let process = try ChildProcess(
            Locations.server, arguments, environment: self.environment(environment), folder: folder)
        let ending = process.wait(seconds: seconds)
        if ending == nil { process.signal(SIGKILL) }
        return LUXCommand(ending: ending, output: process.output, errors: process.errors)
    }

    /// The environment of every run: a path, the migrations, the options of a sanitizer, and what the caller adds.
    package static func environment(_ extra: [String: String]) -> [String: String] {
        ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LUX_MIGRATIONS": Locations.migrations]
            .merging(ProcessInfo.processInfo.environment.filter { $0.key.hasSuffix("SAN_OPTIONS") }) { $1 }
            .merging(extra) { $1 }
    }
}
