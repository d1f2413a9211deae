import Foundation
import Postgres

/// What `lux-server doctor` asks the database.
struct DatabaseChecks {
    let session: PostgresSession

    /// `nulls not distinct` came with it.
    private static let oldest = 150_000

    func version() -> Doctor.Finding {
        let version = session.serverVersion
        return Doctor.Finding(
            subject: "database version", detail: "PostgreSQL \(version / 10_000).\(version % 10_000)",
            advice: version < Self.oldest ? "upgrade to PostgreSQL 15 or later" : nil)
    }

    /// Settings that lose or refuse what the server promises to keep.
    func settings() throws(PostgresError) -> [Doctor.Finding] {
        let rules: [(name: String, bad: [String], advice: String)] = [
            ("synchronous_commit", ["off", "local"], "set it to on: a log that was answered 200 can be lost"),
            ("fsync", ["off"], "set it to on: a power failure can lose the whole database"),
            ("full_page_writes", ["off"], "set it to on: a power failure can tear pages"),
            (
                "transaction_read_only", ["on"],
                "connect to the primary; with several hosts add target_session_attrs=read-write"
            ),
            ("server_encoding", ["SQL_ASCII"], "make the database anew with the encoding UTF8"),
        ]
        var findings: [Doctor.Finding] = []
        for rule in rules {
            let value = try value("select current_setting($1)", [rule.name])
            findings.append(
                Doctor.Finding(
                    subject: rule.name, detail: value, advice: rule.bad.contains(value) ? rule.advice : nil))
        }
        return findings
    }

    func connections(pool: Int) throws(PostgresError) -> Doctor.Finding {
        let limit = try value(
            """
            select least(
                current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint,
                (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),
                (select nullif(datconnlimit, -1) from pg_database where datname = current_database()))
            """)
        return Doctor.Finding(
            subject: "connections", detail: "LUX_DB_POOL \(pool), the database grants \(limit) to all clients together",
            advice: pool > Int(limit) ?? 0 ? "lower LUX_DB_POOL or raise max_connections or the limit of the role" : nil
        )
    }

    func clock(allowed: Double) throws(PostgresError) -> Doctor.Finding {
        let before = Date().timeIntervalSince1970
        let there = Double(try value("select extract(epoch from clock_timestamp())")) ?? 0
        let after = Date().timeIntervalSince1970
        // Within the round trip nothing can be told.
        let skew = there < before ? there - before : max(0, there - after)
        return Doctor.Finding(
            subject: "clock skew", detail: String(format: "the database is %+.1f s off", skew),
            advice: abs(skew) > allowed ? "let both machines set their clocks by NTP (chrony, systemd-timesyncd)" : nil)
    }

    /// What `serve` and the support desk need of each table. Devices that are provisioned need `insert`, too.
    func rights() throws(PostgresError) -> Doctor.Finding {
        let rows = try session.query(
            """
            select r.name || ': ' || string_agg(p, ', ' order by n)
            from (values ('users', 'select,insert'), ('real_users', 'select,insert'), ('projects', 'select'),
                         ('hardwares', 'select'), ('firmwares', 'select'), ('devices', 'select,insert,update'),
                         ('device_logs', 'select,insert,update'), ('alimtalks', 'select,insert,update'),
                         ('support_actions', 'select,insert'), ('schema_migrations', 'select')) r (name, privileges),
                 unnest(string_to_array(privileges, ',')) with ordinality as u (p, n)
            where to_regclass(r.name) is not null and not has_table_privilege(to_regclass(r.name), p)
            group by r.name
            union all select 'the database: temporary'
            where not has_database_privilege(current_database(), 'temporary')
            order by 1
            """)
        let missing = rows.compactMap { $0.first ?? nil }
        let user = try value("select current_user")
        return Doctor.Finding(
            subject: "rights",
            detail: missing.isEmpty ? "\(user) has all" : "\(user) lacks " + missing.joined(separator: "; "),
            advice: missing.isEmpty ? nil : "grant them, or connect as the role that ran lux-server migrate")
    }

    /// Every index that the migrations make is there, and none is left half made.
    func indexes(_ migrations: [Migration]) throws(PostgresError) -> Doctor.Finding {
        var names: [String] = []
        for migration in migrations {
            // A name in a comment is none.
            let sql = migration.sql.replacing(/--.*/, with: "")
            for match in sql.matches(
                of:
                    /(?i)\b(create(?:\s+unique)?|drop)\s+index\s+(?:concurrently\s+)?(?:if\s+(?:not\s+)?exists\s+)?(\w+)/
            ) {
                let name = String(match.output.2)
                names.removeAll { $0 == name }
                if match.output.1.lowercased().hasPrefix("create") { names.append(name) }
            }
        }
        let missing = try session.query(
            """
            select name from unnest(string_to_array($1, ',')) as n (name)
            where not exists (select from pg_index where indexrelid = to_regclass(name) and indisvalid and indisready)
            """, [names.joined(separator: ",")]
        ).compactMap { $0.first ?? nil }
        return Doctor.Finding(
            subject: "indexes",
            detail: missing.isEmpty
                ? "all \(names.count) are there" : "missing or invalid: \(missing.joined(separator: ", "))",
            advice: missing.isEmpty ? nil : "make them as the files in LUX_MIGRATIONS say, or reindex an invalid one")
    }

    private func value(_ sql: String, _ parameters: [String?] = []) throws(PostgresError) -> String {
        try session.query(sql, parameters).first?.first.flatMap { $0 } ?? ""
    }
}
