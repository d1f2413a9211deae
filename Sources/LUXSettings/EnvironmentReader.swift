import EventLoop
import Foundation
import Postgres

/// Reads variables one by one and gathers what is wrong with them. An empty variable counts as unset.
package struct EnvironmentReader {
    package let environment: [String: String]
    package private(set) var faults: [Configuration.Fault] = []

    package init(environment: [String: String]) {
        self.init(Variables(environment: environment))
    }

    package init(_ variables: Variables) {
        environment = variables.values
        faults = variables.faults
    }

    package mutating func fault(_ variable: String, _ reason: String) {
        faults.append(Configuration.Fault(variable: variable, reason: reason))
    }

    package func text(_ name: String) -> String? {
        if let value = environment[name], !value.isEmpty { return value }
        return KnownVariable.oldNames[name].flatMap { text($0) }
    }

    package mutating func required(_ name: String, _ what: String) -> String {
        if let value = text(name) { return value }
        fault(name, "is required: \(what)")
        return ""
    }

    package mutating func connectionString(_ name: String) -> String {
        let value = required(name, "a libpq connection string or URI")
        // libpq's own message may quote the password.
        if !value.isEmpty, !PostgresConfiguration.isConnectionString(value) {
            fault(name, "is no libpq connection string or URI")
        }
        return value
    }

    package mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            var reason = "must be an integer from \(range.lowerBound) to \(range.upperBound)"
            if text.hasPrefix("tcp://") {
                reason += "; Kubernetes sets it for a service of this name (enableServiceLinks: false prevents that)"
            }
            fault(name, reason)
            return nil
        }
        return value
    }

    package mutating func seconds(_ name: String) -> Duration? {
        guard let text = text(name) else { return nil }
        guard let value = Double(text), value > 0, value <= 86_400 else {
            fault(name, "must be a number of seconds above 0, at most 86400")
            return nil
        }
        return .milliseconds(max(1, Int(value * 1_000)))
    }

    package mutating func oneOf(_ values: [String], _ name: String) -> String? {
        guard let text = text(name) else { return nil }
        guard values.contains(text) else {
            fault(name, "must be one of \(values.joined(separator: ", "))")
            return nil
        }
        return text
    }

    package mutating func timeZone(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        guard TimeZone(identifier: text) != nil else {
            fault(name, "must be an IANA time zone such as Asia/Seoul")
            return nil
        }
        return text
    }

    /// `LUX_MIGRATIONS`, else `Migrations/` in the working directory, else beside the executable.
    package mutating func migrationsFolder() -> String {
        if let text = text("LUX_MIGRATIONS") {
            if !Self.isFolder(text) { fault("LUX_MIGRATIONS", "is no folder that can be read") }
            return text
        }
        let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let beside = executable.deletingLastPathComponent().appendingPathComponent("Migrations").path
        if let found = ["Migrations", beside].first(where: Self.isFolder) { return found }
        fault("LUX_MIGRATIONS", "there is no folder Migrations in the working directory or beside the executable")
        return ""
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
