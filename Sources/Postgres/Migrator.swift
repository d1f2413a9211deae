/// Applies migrations in order, each with its history row in one transaction, under an advisory lock.
package struct Migrator {
    private let session: PostgresSession
    private let migrations: [Migration]

    /// The key of the advisory lock: "lux" and "mig" in ASCII. Two migrators wait for each other.
    private static let lockKey = "119204650084711"

    /// Makes a migrator.
    package init(session: PostgresSession, migrations: [Migration]) {
        self.session = session
        self.migrations = migrations
    }

    /// A migration and when it was applied, as PostgreSQL writes the time; `nil` when it was not.
    package typealias Status = (migration: Migration, appliedAt: String?)

    /// What was applied. Changes nothing.
    ///
    /// - Throws: ``MigrationError`` when the history does not fit the files; ``PostgresError``.
    package func status() throws -> [Status] {
        guard try session.query("select to_regclass('schema_migrations')").first?.first ?? nil != nil else {
            return migrations.map { ($0, nil) }
        }
        let rows = try session.query(
            "select version, name, checksum, applied_at from schema_migrations order by version")
        var applied: [Int: String] = [:]
        for row in rows {
            guard row.count == 4, let version = row[0].flatMap({ Int($0) }), let name = row[1] else { continue }
            guard let migration = migrations.first(where: { $0.version == version }) else {
                throw MigrationError.missing(name)
            }
            guard row[2] == (try checksum(migration)) else { throw MigrationError.changed(migration.name) }
            applied[version] = row[3] ?? ""
        }
        let newest = applied.keys.max() ?? Int.min
        for migration in migrations where applied[migration.version] == nil && migration.version < newest {
            throw MigrationError.outOfOrder(migration.name)
        }
        return migrations.map { ($0, applied[$0.version]) }
    }

    /// Throws ``MigrationError/pending(_:)`` unless all are applied, and what ``status()`` throws.
    package func verify() throws {
        let pending = try status().filter { $0.appliedAt == nil }.map(\.migration.name)
        guard pending.isEmpty else { throw MigrationError.pending(pending) }
    }

    /// Applies what is not applied yet.
    ///
    /// - Returns: the names of those it applied.
    /// - Throws: ``MigrationError``, ``PostgresError``; what was applied before the failing one stays.
    package func apply() throws -> [String] {
        try session.query("select pg_advisory_lock($1)", [Self.lockKey])
        defer { _ = try? session.query("select pg_advisory_unlock($1)", [Self.lockKey]) }
        try session.execute(
            script: """
                create table if not exists schema_migrations (
                    version bigint primary key,
                    name text not null,
                    checksum text not null,
                    applied_at timestamptz not null default now()
                )
                """)
        var names: [String] = []
        for (migration, appliedAt) in try status() where appliedAt == nil {
            let checksum = try checksum(migration)
            do {
                try session.transaction {
                    try session.execute(script: migration.sql)
                    try session.query(
                        "insert into schema_migrations (version, name, checksum) values ($1, $2, $3)",
                        [String(migration.version), migration.name, checksum])
                }
            } catch let error as PostgresError {
                throw MigrationError.failed(migration.name, reason: "\(error): \(error.message)")
            }
            names.append(migration.name)
        }
        return names
    }

    private func checksum(_ migration: Migration) throws(PostgresError) -> String? {
        try session.query("select encode(sha256(convert_to($1, 'UTF8')), 'hex')", [migration.sql]).first?.first ?? nil
    }
}
