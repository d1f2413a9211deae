import Bytes
import FoundationEssentials

/// One file of the migrations folder: a number, a name, SQL, and what its first lines say about it.
package struct Migration: Sendable, Equatable {
    /// The number at the start of the file's name.
    package var version: Int
    /// The file's name.
    package var name: String
    /// Its text, with LF line ends whatever the file has.
    package var sql: String

    /// Whether an older program still works once it is applied: the comment `-- compatible` in front of the first
    /// statement.
    package var isCompatible: Bool { directives.contains("compatible") }

    /// Whether its statements run one by one, each in a transaction of its own, as `create index concurrently` demands: the
    /// comment `-- no transaction` in front of the first statement.
    var needsNoTransaction: Bool { directives.contains("no transaction") }

    private var directives: [String] {
        sql.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.isEmpty || $0.hasPrefix("--") }
            .map { $0.dropFirst(2).trimmingWhitespace() }
    }

    /// Reads a folder of files named `NNNN_what_it_does.sql`, in the order of their numbers.
    ///
    /// - Throws: ``MigrationError`` when the folder cannot be read, is empty, or a file is invalid.
    package static func all(in folder: String) throws(MigrationError) -> [Migration] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw .unreadable(folder)
        }
        var migrations: [Migration] = []
        for name in names.sorted() where name.lowercased().hasSuffix(".sql") {
            migrations.append(try Migration(name: name, in: folder))
        }
        migrations.sort { $0.version < $1.version }
        for (one, next) in zip(migrations, migrations.dropFirst()) where one.version == next.version {
            throw .sameNumber(one.name, next.name)
        }
        guard !migrations.isEmpty else { throw .empty(folder) }
        return migrations
    }

    private init(name: String, in folder: String) throws(MigrationError) {
        guard name.hasSuffix(".sql"), !name.lowercased().hasSuffix(".down.sql"),
            let version = Int(name.prefix { $0.isASCII && $0.isNumber }), name.contains("_")
        else { throw .badName(name) }
        guard let data = FileManager.default.contents(atPath: folder + "/" + name) else { throw .unreadable(name) }
        guard !data.starts(with: [0xEF, 0xBB, 0xBF]) else { throw .notText(name, "begins with a byte order mark") }
        guard let text = String(validating: data, as: UTF8.self) else { throw .notText(name, "is not UTF-8 text") }
        guard !text.utf8.contains(0) else { throw .notText(name, "contains a NUL character") }
        self.init(version: version, name: name, sql: text.replacing("\r\n", with: "\n"))
        let control: Set = ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"]
        for statement in SQLScript(sql).statements where control.contains(SQLScript.firstWord(of: statement)) {
            throw .transactionControl(name, SQLScript.firstWord(of: statement))
        }
    }

    init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }
}
