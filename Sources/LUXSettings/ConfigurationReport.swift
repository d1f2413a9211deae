import Postgres

/// What is in force, where it comes from, and what is wrong with it.
package struct ConfigurationReport {
    package let variables: Variables

    package init(variables: Variables) {
        self.variables = variables
    }

    /// One line for each variable: name, value, source. Secrets are masked.
    package var lines: [String] {
        let rows = KnownVariable.all.map { known -> [String] in
            guard let value = variables.values[known.name], !value.isEmpty else {
                return [known.name, known.otherwise, "default"]
            }
            return [known.name, shown(value, known), variables.sources[known.name]?.description ?? ""]
        }
        let widths = (0..<2).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let padded = zip(row, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
            return (padded + [row[2]]).joined(separator: "  ")
        }
    }

    private func shown(_ value: String, _ known: KnownVariable) -> String {
        guard known.isSecret else { return value }
        // What libpq cannot read may contain a password anywhere.
        return known.name == "DATABASE_URL" ? PostgresConfiguration.masked(value) ?? "****" : "****"
    }

    /// All that stops the start, and variables that nothing reads.
    package var faults: [Configuration.Fault] {
        var faults: [Configuration.Fault] = []
        do throws(Configuration.Faults) {
            _ = try Configuration(EnvironmentReader(variables), isTerminal: false)
        } catch {
            faults = error.faults
        }
        return faults + unknown
    }

    /// What does not stop the start: variables that nothing reads, mostly misspelt ones, and files that everybody may read.
    package var warnings: [Configuration.Fault] { unknown + variables.warnings }

    private var unknown: [Configuration.Fault] {
        let known = Set(KnownVariable.all.flatMap { $0.hasFile ? [$0.name, $0.name + "_FILE"] : [$0.name] })
            .union(KnownVariable.oldNames.values)
        return variables.values.keys.sorted().filter { $0.hasPrefix("LUX_") && !known.contains($0) }
            .map { Configuration.Fault(variable: $0, reason: "unknown variable") }
    }
}
