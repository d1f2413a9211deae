import FoundationEssentials
import Glibc

/// The variables of the program, from the environment, a file and files of secrets, and the source of each.
package struct Variables {
    /// Where a variable comes from.
    package enum Source: Equatable, CustomStringConvertible {
        case environment
        case file(line: Int)
        case secretFile(variable: String)

        var isFile: Bool { if case .file = self { true } else { false } }

        package var description: String {
            switch self {
            case .environment: "environment"
            case .file(let line): "--config, line \(line)"
            case .secretFile(let variable): variable
            }
        }
    }

    /// Each with its value.
    package private(set) var values: [String: String]
    /// Each with its source.
    package private(set) var sources: [String: Source]
    /// The errors in the files.
    package private(set) var errors: [Configuration.VariableError] = []
    /// What does not stop the start but should be changed.
    package private(set) var warnings: [Configuration.VariableError] = []

    /// - Parameters:
    ///   - file: the path of a dotenv file; the environment takes precedence.
    ///   - overrides: what comes before both.
    package init(environment: [String: String], file: String? = nil, overriding overrides: [String: String] = [:]) {
        values = environment
        sources = environment.mapValues { _ in .environment }
        if let file { read(file) }
        values.merge(overrides) { $1 }
        sources.merge(overrides.mapValues { _ in .environment }) { $1 }
        let known = SettingsTable.shared.descriptions
        for variable in known where variable.hasFile { readSecret(variable.name) }
        // Its contents are read by the owner of the keys, as they may change while the server runs.
        let keyFile = SettingsTable.shared.tokens.secretFile.description.name
        if isSet(keyFile), let path = values[keyFile] { _ = checkRights(of: path, keyFile) }
        if let file, known.contains(where: { $0.isSecret && sources[$0.name]?.isFile == true }) {
            _ = checkRights(of: file, "--config")
        }
    }

    private mutating func read(_ path: String) {
        guard let bytes = FileManager.default.contents(atPath: path),
            let text = String(validating: bytes, as: UTF8.self)
        else {
            errors.append(
                Configuration.VariableError(variable: "--config", reason: "\(path) cannot be read as UTF-8 text"))
            return
        }
        do throws(DotenvFile.SyntaxError) {
            for entry in try DotenvFile.entries(text) where !isSet(entry.name) {
                values[entry.name] = entry.value
                sources[entry.name] = .file(line: entry.line)
            }
        } catch {
            let reason = "\(path), line \(error.line): \(error.reason)"
            errors.append(Configuration.VariableError(variable: "--config", reason: reason))
        }
    }

    /// An empty variable counts as unset.
    private func isSet(_ name: String) -> Bool { values[name].map { !$0.isEmpty } ?? false }

    /// `NAME_FILE`: the secret is in that file, as Docker and systemd pass secrets.
    private mutating func readSecret(_ name: String) {
        let variable = name + "_FILE"
        guard isSet(variable), let path = values[variable] else { return }
        if isSet(name) {
            let isOverridden = sources[name] == .environment && sources[variable] != .environment
            let overrides = sources[name] != .environment && sources[variable] == .environment
            if isOverridden { return }
            guard overrides else {
                errors.append(Configuration.VariableError(variable: variable, reason: "must not be set beside \(name)"))
                return
            }
        }
        guard checkRights(of: path, variable) else { return }
        guard let secret = SecretFile.text(at: path) else {
            errors.append(
                Configuration.VariableError(variable: variable, reason: "the file cannot be read or is empty"))
            return
        }
        // White space around a connection string is not part of it.
        let bytes = Array(secret.utf8)
        let isURL = name == SettingsTable.shared.database.url.description.name
        if let reason = isURL ? SecretText.byteOrderMarkError(in: bytes) : SecretText.editorError(in: bytes) {
            errors.append(Configuration.VariableError(variable: variable, reason: reason))
            return
        }
        values[name] = secret
        sources[name] = .secretFile(variable: variable)
    }

    /// - Returns: whether a file with secrets may be used.
    private mutating func checkRights(of path: String, _ variable: String) -> Bool {
        if let reason = FileRights.warning(of: path) {
            warnings.append(Configuration.VariableError(variable: variable, reason: reason))
        }
        guard let reason = FileRights.error(of: path) else { return true }
        errors.append(Configuration.VariableError(variable: variable, reason: reason))
        return false
    }

    /// Exports variables such as `PGPASSWORD` to libpq, which reads only the environment.
    package func exportForDatabase() {
        for (name, value) in values where name.hasPrefix("PG") && sources[name] != .environment {
            setenv(name, value, 0)
        }
    }
}
