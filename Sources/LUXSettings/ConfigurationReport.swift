import Postgres

/// The variables in force, where they come from, and the errors in them. An immutable value.
package struct ConfigurationReport {
    package let variables: Variables

    package init(variables: Variables) {
        self.variables = variables
    }

    /// A variable in force.
    package struct Row: Sendable {
        package let name: String
        /// Masked where it is a secret; the text of the default where the variable is not set.
        package let value: String
        package let source: String
    }

    package var rows: [Row] {
        SettingsTable.shared.descriptions.map { known in
            guard let value = variables.values[known.name], !value.isEmpty else {
                return Row(name: known.name, value: known.defaultText.replacing("`", with: ""), source: "default")
            }
            return Row(
                name: known.name, value: shown(value, known),
                source: variables.sources[known.name]?.description ?? "")
        }
    }

    /// One line for each variable: name, value, source.
    package var lines: [String] {
        let rows = rows.map { [$0.name, $0.value, $0.source] }
        let widths = (0..<2).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let padded = zip(row, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
            return (padded + [row[2]]).joined(separator: "  ")
        }
    }

    private func shown(_ value: String, _ known: VariableDescription) -> String {
        guard known.isSecret else { return value }
        // What libpq cannot read may contain a password anywhere.
        return known.name == SettingsTable.shared.database.url.description.name
            ? PostgresConfiguration.masked(value) ?? "****" : "****"
    }

    /// The errors that stop the start, and variables that nothing reads.
    package var errors: [Configuration.VariableError] {
        var errors: [Configuration.VariableError] = []
        do throws(Configuration.VariableErrors) {
            _ = try Configuration(EnvironmentReader(variables), isTerminal: false)
        } catch {
            errors = error.errors
        }
        return errors + unknown
    }

    /// What does not stop the start: unknown variables, most of them misspelt, and ``advice``.
    package var warnings: [Configuration.VariableError] { unknown + advice }

    /// Files that everybody may read, and settings that accept more than they should.
    package var advice: [Configuration.VariableError] { variables.warnings + tokenWarnings }

    private var tokenWarnings: [Configuration.VariableError] {
        var reader = EnvironmentReader(variables)
        return reader.tokenWarnings()
    }

    private var unknown: [Configuration.VariableError] {
        let known = Set(SettingsTable.shared.descriptions.flatMap { $0.names + ($0.oldName.map { [$0] } ?? []) })
        return variables.values.keys.sorted().filter { $0.hasPrefix("LUX_") && !known.contains($0) }
            .map { Configuration.VariableError(variable: $0, reason: "unknown variable") }
    }
}
