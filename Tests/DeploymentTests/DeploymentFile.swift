import Foundation
import Glibc
import LUXTestSupport
import Testing

/// The files in `deploy/` and beside it.
enum DeploymentFile {
    static func path(_ name: String) -> String { Locations.package + "/" + name }

    static func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips what needs a program that is not installed, and reports it.
    static func requires(_ program: String) -> Self {
        let isInstalled = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
        return .enabled(if: isInstalled, Comment(rawValue: "\(program) is not installed"))
    }
}

/// A program of the system, run to its end.
struct Tool {
    let ending: ChildProcess.Ending?
    let output: String
    let errors: String

    var isDone: Bool { ending == .exit(0) }
    var everything: String { output + errors }

    init(_ program: String, _ arguments: [String], folder: String = Locations.package, seconds: Double = 60) throws {
        let path = "/usr/sbin:/usr/bin:/sbin:/bin"
        let process = try ChildProcess(
            "/usr/bin/env", [program] + arguments, environment: ["PATH": path, "HOME": "/tmp", "LC_ALL": "C"],
            folder: folder)
        ending = process.wait(seconds: seconds)
        output = process.output
        errors = process.errors
        if ending == nil { process.signal(SIGKILL) }
    }
}

/// Creates a script that can be run. Another process writes it: a child that this one forks meanwhile would have the file open
/// for writing, and the kernel runs no such file.
func makeProgram(_ path: String, _ text: String) throws {
    let run = try Tool("sh", ["-ec", #"printf '%s\n' "$1" > "$0"; chmod 755 "$0""#, path, text])
    #expect(run.isDone, "\(run.errors)")
}
