/// An error in the migration files, or in the migration history of the database.
package enum MigrationError: Error, Equatable, CustomStringConvertible {
    /// A folder or file that cannot be read.
    case unreadable(String)
    /// A folder without migrations.
    case empty(String)
    /// A file whose name is not `NNNN_what_it_does.sql`.
    case badName(String)
    /// A file that is not UTF-8 text, with the reason.
    case notText(String, String)
    /// A file with a statement that begins or ends transactions.
    case transactionControl(String, String)
    /// Two files of one number.
    case sameNumber(String, String)
    /// A file that was applied and has changed since.
    case changed(String)
    /// A file that was applied and does not exist here, without being marked as compatible.
    case missing(String)
    /// A file with a number below one that was applied already.
    case outOfOrder(String)
    /// A file that the database rejected. Nothing of it remains, unless it runs without a transaction.
    case failed(String, reason: String)
    /// Files that were not applied.
    case pending([String])
    /// Another session has held the migration lock for too long; the value describes it.
    case locked(by: String)
    /// The table `schema_migrations` of another program.
    case foreignHistory
    /// A database of another encoding than UTF8.
    case encoding(String)
    /// A standby, or a database that is read-only by a setting.
    case readOnly

    /// A sentence for the operator.
    package var description: String {
        switch self {
        case .unreadable(let path): "cannot read \(path)"
        case .empty(let folder): "no migrations in \(folder)"
        case .badName(let name): "\(name): a migration is named NNNN_what_it_does.sql, and there are no down migrations"
        case .notText(let name, let reason): "\(name) \(reason); a migration is UTF-8 text"
        case .transactionControl(let name, let word):
            "\(name) contains \(word.uppercased()): the migrator begins and ends transactions"
        case .sameNumber(let one, let other): "\(one) and \(other) have the same number"
        case .changed(let name): "\(name) was changed after it had been applied"
        case .missing(let name): "\(name) was applied, but its file does not exist here"
        case .outOfOrder(let name): "\(name) comes before a migration that was applied already"
        case .failed(let name, let reason): "\(name) failed: \(reason)"
        case .pending(let names): "not applied: \(names.joined(separator: ", "))"
        case .locked(let holder): "another migrator holds the lock: \(holder)"
        case .foreignHistory:
            "the table schema_migrations belongs to another program: it lacks version, name or checksum"
        case .encoding(let name): "the database has the encoding \(name); recreate it with ENCODING 'UTF8'"
        case .readOnly: "the database is read-only; connect to the primary (target_session_attrs=read-write)"
        }
    }
}
