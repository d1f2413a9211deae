import Foundation

/// One file of the migrations folder: a number, a name and SQL.
package struct Migration: Sendable, Equatable {
    /// The number at the start of the file's name.
    package var version: Int
    /// The file's name.
    package var name: String
    /// Its text.
    package var sql: String

    /// Reads a folder of files named `NNNN_what_it_does.sql`, in the order of their numbers.
    ///
    /// - Throws: ``MigrationError`` when the folder cannot be read, is empty, or two files have one number.
    package static func all(in folder: String) throws(MigrationError) -> [Migration] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw .unreadable(folder)
        }
        var migrations: [Migration] = []
        for name in names where name.hasSuffix(".sql") {
            guard let version = Int(name.prefix { $0.isASCII && $0.isNumber }), name.contains("_") else {
                throw .badName(name)
            }
            guard let data = FileManager.default.contents(atPath: folder + "/" + name) else {
                throw .unreadable(name)
            }
            migrations.append(Migration(version: version, name: name, sql: String(decoding: data, as: UTF8.self)))
        }
        migrations.sort { $0.version < $1.version }
        for (one, next) in zip(migrations, migrations.dropFirst()) where one.version == next.version {
            throw .sameNumber(one.name, next.name)
        }
        guard !migrations.isEmpty else { throw .empty(folder) }
        return migrations
    }
}

/// What is wrong with the migrations, or with what the database says was applied.
package enum MigrationError: Error, Equatable, CustomStringConvertible {
    /// A folder or file that cannot be read.
    case unreadable(String)
    /// A folder without migrations.
    case empty(String)
    /// A file whose name does not begin with a number and an underscore.
    case badName(String)
    /// Two files of one number.
    case sameNumber(String, String)
    /// A file that was applied and is another one now.
    case changed(String)
    /// A file that was applied and is gone.
    case missing(String)
    /// A file with a number below one that was applied already.
    case outOfOrder(String)
    /// A file that the database refused; nothing of it stays.
    case failed(String, reason: String)
    /// Files that were not applied.
    case pending([String])

    /// A sentence for the operator.
    package var description: String {
        switch self {
        case .unreadable(let path): "cannot read \(path)"
        case .empty(let folder): "no migrations in \(folder)"
        case .badName(let name): "\(name): a migration is named NNNN_what_it_does.sql"
        case .sameNumber(let one, let other): "\(one) and \(other) have the same number"
        case .changed(let name): "\(name) was changed after it had been applied"
        case .missing(let name): "\(name) was applied, but its file is gone"
        case .outOfOrder(let name): "\(name) comes before a migration that was applied already"
        case .failed(let name, let reason): "\(name) failed: \(reason)"
        case .pending(let names): "not applied: \(names.joined(separator: ", ")); run lux-server migrate"
        }
    }
}
