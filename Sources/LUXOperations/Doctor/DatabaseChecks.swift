import FoundationEssentials
import LUXStore
import Postgres

/// The checks of `lux-server doctor` in the database.
package struct DatabaseChecks {
    private let inspection: DatabaseInspection

    /// `nulls not distinct` came with it.
    private static let oldest = 150_000

    package init(session: PostgresSession) {
        inspection = DatabaseInspection(session: session)
    }

    package func version() -> Doctor.Finding { Self.finding(version: inspection.version) }

    /// - Parameter version: as `PQserverVersion` returns it.
    package static func finding(version: Int) -> Doctor.Finding {
        Doctor.Finding(
            subject: "database version", detail: "PostgreSQL \(version / 10_000).\(version % 10_000)",
            advice: version < oldest ? "upgrade to PostgreSQL 15 or later" : nil)
    }

    /// Settings that lose or reject what the server promises to keep.
    package func settings() throws(PostgresError) -> [Doctor.Finding] {
        let rules: [(name: String, isBad: (String) -> Bool, advice: String)] = [
            (
                "synchronous_commit", { $0 == "off" || $0 == "local" },
                "set it to on: acknowledged uploads can be lost"
            ),
            ("fsync", { $0 == "off" }, "set it to on: a power failure can lose the whole database"),
            ("full_page_writes", { $0 == "off" }, "set it to on: a power failure can tear pages"),
            (
                "transaction_read_only", { $0 == "on" },
                "connect to the primary; with several hosts add target_session_attrs=read-write"
            ),
            ("server_encoding", { $0 != "UTF8" }, "recreate the database with ENCODING 'UTF8'"),
        ]
        var findings: [Doctor.Finding] = []
        for rule in rules {
            let value = try inspection.setting(rule.name)
            findings.append(
                Doctor.Finding(
                    subject: rule.name, detail: value, advice: rule.isBad(value) ? rule.advice : nil))
        }
        return findings
    }

    package func connections(pool: Int) throws(PostgresError) -> Doctor.Finding {
        let limit = try inspection.connectionLimit()
        return Doctor.Finding(
            subject: "connections", detail: "LUX_DB_POOL \(pool), the database grants \(limit) to all clients together",
            advice: pool > limit ? "lower LUX_DB_POOL or raise max_connections or the limit of the role" : nil
        )
    }

    package static func finding(sharing: SessionSharing) -> Doctor.Finding {
        let subject = "connection pooler"
        switch sharing {
        case .none:
            return Doctor.Finding(subject: subject, detail: "none, or in session mode")
        case .transactions(carriesStatements: true):
            return Doctor.Finding(subject: subject, detail: "in transaction mode, with prepared statements")
        case .transactions(carriesStatements: false):
            return Doctor.Finding(
                subject: subject,
                detail:
                    "in transaction mode, without prepared statements: each execution is planned again, so the database"
                    + " does more work. PgBouncer has them from 1.21 on, with max_prepared_statements = 200")
        case .statements:
            return Doctor.Finding(
                subject: subject, detail: "in statement mode, which has no transactions",
                advice: "set pool_mode = transaction or session")
        }
    }

    package func clock(allowed: Double) throws(PostgresError) -> Doctor.Finding {
        let before = Date().timeIntervalSince1970
        let there = try inspection.clock()
        let after = Date().timeIntervalSince1970
        // A difference within the round trip is not significant.
        return Self.finding(skew: there < before ? there - before : max(0, there - after), allowed: allowed)
    }

    package static func finding(skew: Double, allowed: Double) -> Doctor.Finding {
        Doctor.Finding(
            subject: "clock skew", detail: "the database is \(skew < 0 ? "" : "+")\((skew * 10).rounded() / 10) s off",
            advice: abs(skew) > allowed ? "let both machines set their clocks by NTP (chrony, systemd-timesyncd)" : nil)
    }

    /// What `serve`, `alimtalk` and `export` need of each table. A user's row is locked, never changed, and that requires the right
    /// to change one of its columns.
    private static let serving = [
        ("users", "select,update of a column"), ("real_users", "select"), ("firmwares", "select"),
        ("devices", "select,update"), ("device_logs", "select,insert,update"), ("alimtalks", "select,insert,update"),
        ("alimtalk_polls", "select,insert,update"),
        ("access_records", "insert"), ("schema_migrations", "select"),
    ]

    /// What `provision` and `device` need in addition.
    private static let supporting = [
        ("users", "insert"), ("real_users", "insert"), ("devices", "insert"), ("projects", "select"),
        ("hardwares", "select"), ("support_actions", "select,insert"), ("users_id_seq", "update"),
        ("real_users_id_seq", "update"), ("devices_id_seq", "update"), ("the database", "temporary"),
    ]

    /// What the role may do. Without the rights of support commands the server is well: they are for a role of its own.
    package func rights() throws(PostgresError) -> [Doctor.Finding] {
        let user = try inspection.role()
        let serving = try inspection.lacking(Self.serving)
        let supporting = try inspection.lacking(Self.supporting)
        return [
            Doctor.Finding(
                subject: "rights",
                detail: serving.isEmpty ? "\(user) has everything that serving needs" : "\(user) lacks \(serving)",
                advice: serving.isEmpty
                    ? nil : "run deploy/grants.sql, or connect as the role that ran lux-server migrate"),
            Doctor.Finding(
                subject: "rights of support commands",
                detail: supporting.isEmpty
                    ? "\(user) has all that provision and device need"
                    : "\(user) lacks \(supporting); provision and device need a role that has them"),
        ]
    }

    /// Every index of the migrations exists and is valid.
    package func indexes(_ migrations: [Migration]) throws(PostgresError) -> Doctor.Finding {
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
        let missing = try inspection.missing(indexes: names)
        return Doctor.Finding(
            subject: "indexes",
            detail: missing.isEmpty
                ? "all \(names.count) are there" : "missing or invalid: \(missing.joined(separator: ", "))",
            advice: missing.isEmpty ? nil : "create them as the files in LUX_MIGRATIONS do, or reindex an invalid one")
    }

    /// What keeps the devices and children of logs (migration 0009). The owner of the tables can disable it.
    private static let guards =
        ["check_parents_of_new", "check_parents_of_changed"].map { "device_logs.\($0)" }
        + ["devices", "real_users"].flatMap { table in
            ["keep_for_logs", "keep_id_for_logs", "keep_all_for_logs"].map { "\(table).\($0)" }
        }

    package func triggers() throws(PostgresError) -> Doctor.Finding {
        let missing = try inspection.missing(triggers: Self.guards)
        return Doctor.Finding(
            subject: "triggers",
            detail: missing.isEmpty
                ? "all \(Self.guards.count) are there" : "missing or disabled: \(missing.joined(separator: ", "))",
            advice: missing.isEmpty
                ? nil
                : "alter table … enable trigger; until then a log can refer to a device or child that does not exist")
    }
}
