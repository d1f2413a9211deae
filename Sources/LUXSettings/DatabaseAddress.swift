import Concurrency

/// The connection string of the database. Where it comes from `DATABASE_URL_FILE`, the file is read again for each connection, so
/// that a password that was changed in it needs no restart.
///
/// Shared by the threads that connect.
package struct DatabaseAddress: Sendable {
    private let file: String?
    private let last: Locked<String>

    /// - Parameters:
    ///   - text: the connection string at the start.
    ///   - file: the file that it was read from, if it was.
    package init(_ text: String, file: String? = nil) {
        self.file = file
        last = Locked(text)
    }

    /// The connection string for the next connection: the last usable one where the file cannot be used now. Blocks while the
    /// file is read.
    package func current() -> String {
        guard let file, FileRights.error(of: file) == nil, let text = SecretFile.text(at: file),
            let parsed = try? VariableParser.connectionString.parse(text), !parsed.isEmpty
        else { return last.withLock { $0 } }
        last.withLock { $0 = parsed }
        return parsed
    }
}
