import FoundationEssentials
import TimeZones

/// Reads variables of ``SettingsTable`` one by one and collects the errors. An empty variable counts as unset.
package struct EnvironmentReader {
    package let environment: [String: String]
    package private(set) var errors: [Configuration.VariableError] = []
    /// The file that `DATABASE_URL` was read from, if it was.
    private let databaseFile: String?

    package init(environment: [String: String]) {
        self.init(Variables(environment: environment))
    }

    package init(_ variables: Variables) {
        environment = variables.values
        errors = variables.errors
        let name = SettingsTable.shared.database.url.description.name
        if case .secretFile(let variable) = variables.sources[name] {
            databaseFile = variables.values[variable]
        } else {
            databaseFile = nil
        }
    }

    /// `DATABASE_URL`, or its file.
    package mutating func databaseAddress() -> DatabaseAddress {
        DatabaseAddress(read(\.database.url), file: databaseFile)
    }

    /// The value of a variable, or its default. A text that cannot be parsed is recorded as an error.
    package mutating func read<Value>(_ variable: KeyPath<SettingsTable, Variable<Value>>) -> Value {
        read(SettingsTable.shared[keyPath: variable])
    }

    mutating func read<Value>(_ variable: Variable<Value>) -> Value {
        guard let text = text(of: variable.description) else {
            if let requirement = variable.description.requirement {
                reject(variable.description.name, "is required: \(requirement)")
            }
            return variable.defaultValue
        }
        do throws(VariableParser<Value>.Rejection) {
            return try variable.parser.parse(text)
        } catch {
            reject(variable.description.name, error.reason)
            return variable.defaultValue
        }
    }

    package func isSet<Value>(_ variable: KeyPath<SettingsTable, Variable<Value>>) -> Bool {
        text(of: SettingsTable.shared[keyPath: variable].description) != nil
    }

    private func text(of variable: VariableDescription) -> String? {
        if let value = environment[variable.name], !value.isEmpty { return value }
        if let oldName = variable.oldName, let value = environment[oldName], !value.isEmpty { return value }
        return nil
    }

    mutating func reject(_ variable: String, _ reason: String) {
        errors.append(Configuration.VariableError(variable: variable, reason: reason))
    }

    /// Records an error in the value of a variable that depends on other variables.
    mutating func reject<Value>(_ variable: KeyPath<SettingsTable, Variable<Value>>, _ reason: String) {
        reject(SettingsTable.shared[keyPath: variable].description.name, reason)
    }

    /// The clock of `LUX_TIMEZONE`.
    package mutating func clock() -> WallClock {
        let known = errors.count
        let zone = read(\.database.timeZone)
        if let clock = WallClock(identifier: zone) { return clock }
        // The default replaces a value that was rejected.
        if errors.count == known {
            reject(\.database.timeZone, "\(WallClock.folder) has no valid \(zone); install the package tzdata")
        }
        return .utc
    }

    /// `LUX_MIGRATIONS`, else `Migrations/` in the working directory, else beside the executable.
    package mutating func migrationsFolder() -> String {
        if isSet(\.database.migrations) { return read(\.database.migrations) ?? "" }
        let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let beside = executable.deletingLastPathComponent().appendingPathComponent("Migrations").path
        if let found = ["Migrations", beside].first(where: VariableParser<String>.isFolder) { return found }
        reject(
            \.database.migrations,
            "there is no folder Migrations in the working directory or beside the executable")
        return ""
    }
}
