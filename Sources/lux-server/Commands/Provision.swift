import ArgumentParser
import Foundation
import Glibc
import LUXOperations
import LUXSettings
import Postgres

extension Provisioning.Kind: ExpressibleByArgument {}

/// `lux-server provision`
struct Provision: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Load factory devices, users or child accounts from a CSV file, all rows or none.",
        discussion: """
            RFC 4180 with a header line of column names. An empty field is NULL; ids are optional. Rows that are there \
            already are left as they are, so the same file can be loaded again.
            """)

    @Argument(help: "What the rows are: devices, users or children.")
    var kind: Provisioning.Kind

    @Argument(help: "The file; - for standard input.", completion: .file(extensions: ["csv"]))
    var file: String

    @Flag(help: "Check everything and load nothing.")
    var dryRun = false

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let databaseURL = try options.read { $0.read(\.database.url) }
        let data = try contents()
        let bar = ProgressBar()
        do {
            let session = try PostgresSession(connectionString: databaseURL)
            let outcome = try Provisioning(kind).load(
                Array(data), into: session, isDryRun: dryRun, progress: bar.show)
            bar.clear()
            for warning in outcome.warnings { Environment.complain("\(file): warning: \(warning)") }
            print(report(outcome))
        } catch let error as Provisioning.Faults {
            bar.clear()
            for fault in error.faults { Environment.complain("\(file): \(fault)") }
            if error.isCut {
                Environment.complain("\(file): there are more; the first \(error.faults.count) are reported")
            }
            Environment.complain("nothing was loaded")
            throw ExitCode.failure
        } catch {
            bar.clear()
            throw Environment.failure(error)
        }
    }

    /// The whole file, which may be a pipe.
    private func contents() throws -> Data {
        let descriptor = file == "-" ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            Environment.complain("cannot read \(file): \(String(cString: strerror(errno)))")
            throw ExitCode.failure
        }
        do {
            return try FileHandle(fileDescriptor: descriptor, closeOnDealloc: file != "-").readToEnd() ?? Data()
        } catch {
            Environment.complain("cannot read \(file): \(error.localizedDescription)")
            throw ExitCode.failure
        }
    }

    private func report(_ outcome: Provisioning.Outcome) -> String {
        let loaded = "\(dryRun ? "would load" : "loaded") \(outcome.added) \(kind.rawValue)"
        return outcome.present == 0 ? loaded : "\(loaded); \(outcome.present) are there already and stay as they are"
    }
}
