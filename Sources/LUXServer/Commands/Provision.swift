import ArgumentParser
import Foundation
import Postgres

extension Provisioning.Kind: ExpressibleByArgument {}

/// `lux-server provision`
struct Provision: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Load factory devices, users or child accounts from a CSV file, all rows or none.",
        discussion: "RFC 4180 with a header line of column names. An empty field is NULL; ids are optional.")

    @Argument(help: "What the rows are: devices, users or children.")
    var kind: Provisioning.Kind

    @Argument(help: "The file.", completion: .file(extensions: ["csv"]))
    var file: String

    func run() throws {
        var reader = EnvironmentReader(environment: ProcessInfo.processInfo.environment)
        let databaseURL = reader.connectionString("DATABASE_URL")
        for fault in reader.faults { Environment.complain("\(fault)") }
        guard reader.faults.isEmpty else { throw ExitCode(Environment.configurationFault) }
        guard let data = FileManager.default.contents(atPath: file) else {
            Environment.complain("cannot read \(file)")
            throw ExitCode.failure
        }
        do {
            let session = try PostgresSession(connectionString: databaseURL)
            let count = try Provisioning(kind).load(Array(data), into: session)
            print("loaded \(count) \(kind.rawValue)")
        } catch let fault as Provisioning.Fault {
            Environment.complain("\(file): \(fault)")
            throw ExitCode.failure
        } catch {
            throw Environment.failure(error)
        }
    }
}
