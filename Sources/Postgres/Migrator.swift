import Concurrency
import Glibc

/// Applies migrations in order, each with its history row in one transaction, under an advisory lock.
///
/// For a database in use: each transaction waits for locks only briefly and is retried, so that a waiting one
/// does not block others for long. Blocking; not for an event loop.
package struct Migrator {
    private let session: PostgresSession
    private let migrations: [Migration]
    /// Receives what the migrator waits for, for the operator.
    private let onWait: (String) -> Void

    /// The key of the advisory lock: "lux" and "mig" in ASCII.
    private static let lockKey = "119204650084711"
    /// Maximum wait for the lock of another migrator.
    private static let lockWait = Duration.seconds(300)
    /// Maximum wait of a statement for a lock, after which its migration is rolled back and retried.
    private static let lockTimeout = "1s"
    private static let attempts = 30

    package init(session: PostgresSession, migrations: [Migration], onWait: @escaping (String) -> Void = { _ in }) {
        self.session = session
        self.migrations = migrations
        self.onWait = onWait
    }

    /// A migration and when it was applied, as PostgreSQL writes the time; `nil` when it was not.
    package typealias Status = (migration: Migration, appliedAt: String?)

    /// The migrations and which of them are applied. Changes nothing.
    ///
    /// - Throws: ``MigrationError`` when the history does not fit the files, ``PostgresError``.
    package func status() throws -> [Status] {
        let encoding = try value("show server_encoding")
        guard encoding == "UTF8" else { throw MigrationError.encoding(encoding) }
        guard try !value("select to_regclass('schema_migrations')").isEmpty else { return migrations.map { ($0, nil) } }
        let rows: [[String?]]
        do throws(PostgresError) {
            // Through JSON: the column `compatible` came later than the table.
            rows = try session.query(
                """
                select version, name, checksum, applied_at, coalesce((to_jsonb(m) ->> 'compatible')::boolean, false)
                from schema_migrations m order by version
                """)
        } catch {
            throw error.sqlState == "42703" ? MigrationError.foreignHistory : error as any Error
        }
        let newestKnown = migrations.last?.version ?? 0
        var applied: [Int: String] = [:]
        for row in rows {
            guard row.count == 5, let version = row[0].flatMap({ Int($0) }), let name = row[1] else { continue }
            guard let migration = migrations.first(where: { $0.version == version }) else {
                if version > newestKnown, row[4] == "t" { continue }
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

    /// Indexes that a failed `create index concurrently` has left behind.
    package func invalidIndexes() throws(PostgresError) -> [String] {
        try session.query(
            """
            select indexrelid::regclass from pg_index join pg_class c on c.oid = indexrelid
            where not indisvalid and c.relnamespace = current_schema()::regnamespace order by 1
            """
        ).compactMap { $0.first ?? nil }
    }

    /// Throws ``MigrationError/pending(_:)`` unless all are applied, and what ``status()`` throws.
    package func verify() throws {
        let pending = try status().filter { $0.appliedAt == nil }.map(\.migration.name)
        guard pending.isEmpty else { throw MigrationError.pending(pending) }
    }

    /// Applies what is not applied yet.
    ///
    /// - Returns: the names of those it applied.
    /// - Throws: ``MigrationError``, ``PostgresError``; what was applied before the failing one remains.
    package func apply() throws -> [String] {
        guard try value("show transaction_read_only") == "off" else { throw MigrationError.readOnly }
        try acquireLock()
        defer { _ = try? session.query("select pg_advisory_unlock($1)", [Self.lockKey]) }
        // Before anything is created in a database that cannot be served.
        _ = try status()
        try session.execute(
            script: """
                create table if not exists schema_migrations (
                    version bigint primary key,
                    name text not null,
                    checksum text not null,
                    applied_at timestamptz not null default now()
                )
                """)
        let hasMark = try value(
            """
            select 1 from pg_attribute where attrelid = 'schema_migrations'::regclass and attname = 'compatible'
            """)
        if hasMark.isEmpty {
            try session.execute(
                script: "alter table schema_migrations add column compatible boolean not null default false")
        }
        var names: [String] = []
        for (migration, appliedAt) in try status() where appliedAt == nil {
            try apply(migration)
            names.append(migration.name)
        }
        return names
    }

    private func apply(_ migration: Migration) throws {
        var attempt = 1
        while true {
            do {
                return try migration.needsNoTransaction ? runAlone(migration) : runInTransaction(migration)
            } catch let error as PostgresError where error.sqlState == "55P03" && attempt < Self.attempts {
                onWait("a lock for \(migration.name), attempt \(attempt) of \(Self.attempts)")
                attempt += 1
                usleep(UInt32.random(in: 200_000...1_000_000))
            } catch let error as PostgresError {
                throw MigrationError.failed(migration.name, reason: "\(error): \(error.message)")
            }
        }
    }

    private func runInTransaction(_ migration: Migration) throws {
        try session.transaction {
            try session.execute(script: "set local lock_timeout = '\(Self.lockTimeout)'")
            try session.execute(script: migration.sql)
            try record(migration)
        }
    }

    private func runAlone(_ migration: Migration) throws {
        for statement in SQLScript(migration.sql).statements { try session.execute(script: statement) }
        try record(migration)
    }

    private func record(_ migration: Migration) throws {
        try session.query(
            "insert into schema_migrations (version, name, checksum, compatible) values ($1, $2, $3, $4)",
            [
                String(migration.version), migration.name, try checksum(migration),
                migration.isCompatible ? "true" : "false",
            ])
    }

    /// Waits for another migrator, visibly and not forever.
    private func acquireLock() throws {
        let deadline = MonotonicTime.now() + Self.lockWait
        var nextReport = MonotonicTime.now()
        while try value("select pg_try_advisory_lock($1)", [Self.lockKey]) != "t" {
            let holder = try lockHolder()
            guard .now() < deadline else { throw MigrationError.locked(by: holder) }
            if nextReport <= .now() {
                onWait("the migration lock, held by \(holder)")
                nextReport = .now() + .seconds(10)
            }
            usleep(100_000)
        }
    }

    private func lockHolder() throws(PostgresError) -> String {
        try value(
            """
            select 'pid ' || l.pid || coalesce(' (' || nullif(a.application_name, '') || ')', '')
            from pg_locks l left join pg_stat_activity a using (pid)
            where l.locktype = 'advisory' and l.granted and l.objsubid = 1
              and l.database = (select oid from pg_database where datname = current_database())
              and (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint limit 1
            """, [Self.lockKey])
    }

    private func checksum(_ migration: Migration) throws(PostgresError) -> String? {
        try session.query("select encode(sha256(convert_to($1, 'UTF8')), 'hex')", [migration.sql]).first?.first ?? nil
    }

    private func value(_ sql: String, _ parameters: [String?] = []) throws(PostgresError) -> String {
        try session.query(sql, parameters).first?.first.flatMap { $0 } ?? ""
    }
}
