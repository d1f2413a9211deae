import ArgumentParser
import LUXOperations
import LUXSettings
import LUXStore
import Postgres

extension ProvisioningKind: ExpressibleByArgument {}

/// `lux-server provision`
struct Provision: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Load factory devices, users or child accounts from a CSV file, all rows or none.",
        discussion: """
            RFC 4180 with a header line of column names. An empty field is NULL; ids are optional. Rows that exist \
            already are left as they are, so the same file can be loaded again; --update and --replace-codes correct \
            project_id, hardware_id, serial_code and mac_id of devices, each with a row in support_actions.
            """)

    @Argument(help: "What the rows are: devices, users or children.")
    var kind: ProvisioningKind

    @Argument(help: "The file; - for standard input.", completion: .file(extensions: ["csv"]))
    var file: String

    @Flag(help: "Check everything, show what would be corrected, and load nothing.")
    var dryRun = false

    @Flag(help: "Correct devices that are not connected.")
    var update = false

    @Flag(help: "Replace serial_code and mac_id of devices that are connected.")
    var replaceCodes = false

    @OptionGroup var actor: ActorOptions

    @OptionGroup var output: OutputOptions

    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        guard kind == .devices || !(update || replaceCodes) else {
            throw ValidationError("--update and --replace-codes are for devices")
        }
    }

    func run() throws {
        let databaseURL = try options.read { $0.read(\.database.url) }
        let actor = try actor.actor()
        let bar = ProgressBar()
        do {
            let input = try ProvisioningInput(path: file)
            let session = try PostgresSession(connectionString: databaseURL)
            let corrections = ProvisioningCorrections(
                ofUnconnected: update, ofConnectedCodes: replaceCodes)
            let outcome = try Provisioning(kind, corrections: corrections, actor: actor).load(
                input, name: file.split(separator: "/").last.map { String($0) } ?? file, into: session,
                isDryRun: dryRun, progress: bar.show
            ) { line in
                bar.clear()
                // With --json, standard output is one object.
                if output.json { Environment.printError(line) } else { print(line) }
            }
            bar.clear()
            for warning in outcome.warnings { Environment.printError("\(file): warning: \(warning)") }
            if output.json { output.print(object(outcome)) } else { print(report(outcome)) }
        } catch let error as ProvisioningInput.Failure {
            Environment.printError("cannot read \(file): \(error)")
            throw ExitCode.failure
        } catch let invalid as ProvisioningErrors {
            bar.clear()
            for error in invalid.errors { Environment.printError("\(file): \(error)") }
            if invalid.isCut {
                Environment.printError(
                    "\(file): there are more; the first \(invalid.errors.count) are reported")
            }
            Environment.printError("nothing was loaded")
            throw ExitCode.failure
        } catch {
            bar.clear()
            throw Environment.failure(error)
        }
    }

    private func object(_ outcome: Provisioning.Outcome) -> Report {
        var report = Report()
        report.add("kind", .text(kind.rawValue))
        report.add(dryRun ? "would_load" : "loaded", outcome.added)
        report.add("present", outcome.present)
        report.add("corrected", outcome.corrected)
        report.add("warnings", .list(outcome.warnings.map { "\($0)" }))
        return report
    }

    private func report(_ outcome: Provisioning.Outcome) -> String {
        var parts = ["\(dryRun ? "would load" : "loaded") \(outcome.added) \(kind.rawValue)"]
        let untouched = outcome.present - outcome.corrected
        if untouched > 0 {
            parts.append(
                "\(untouched) are there already"
                    + (dryRun && (update || replaceCodes) ? "" : " and stay as they are"))
        }
        if outcome.corrected > 0 { parts.append("corrected \(outcome.corrected)") }
        return parts.joined(separator: "; ")
    }
}
