import ArgumentParser
import FoundationEssentials
import Glibc
import LUXOperations

/// Who runs a command that leaves an access record.
struct ActorOptions: ParsableArguments {
    @Option(help: "Who does this, for the access record; else SUDO_USER or USER.")
    var `operator`: String?

    /// The actor of a command that people run.
    ///
    /// - Throws: `ValidationError` where no operator is named.
    func required() throws -> Actor {
        guard let name, !name.isEmpty else {
            throw ValidationError("--operator is required where neither SUDO_USER nor USER is set")
        }
        return Actor(name: name)
    }

    /// The actor of a command that timers and containers run too, which set neither variable: at last the user of the process.
    func actor() throws -> Actor {
        guard let name = name ?? Self.processUser(), !name.isEmpty else {
            throw ValidationError("--operator must not be empty")
        }
        return Actor(name: name)
    }

    private var name: String? {
        let environment = ProcessInfo.processInfo.environment
        return `operator` ?? ["SUDO_USER", "USER"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    }

    private static func processUser() -> String? {
        guard let name = getpwuid(getuid())?.pointee.pw_name else { return "user \(getuid())" }
        return String(cString: name)
    }
}

/// How a command prints what it found or did.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print a JSON object for programs instead of a table for people.")
    var json = false

    func print(_ report: Report) {
        Swift.print(json ? report.json : report.table)
    }
}
