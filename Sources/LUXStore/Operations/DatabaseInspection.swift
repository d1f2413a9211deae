import Postgres

/// What `lux-server doctor` and the start read of the database itself: settings, limits, rights, indexes. A value on the thread of its
/// session; its methods throw `PostgresError`.
package struct DatabaseInspection {
    private let session: PostgresSession

    package init(session: PostgresSession) {
        self.session = session
    }

    /// As `PQserverVersion` returns it.
    package var version: Int { session.serverVersion }

    package func setting(_ name: String) throws(PostgresError) -> String {
        try value("select current_setting($1)", [name])
    }

    /// Sessions that the database grants to this role, the smallest of its limits.
    package func connectionLimit() throws(PostgresError) -> Int {
        Int(
            try value(
                """
                select least(
                    current_setting('max_connections')::bigint
                        - current_setting('superuser_reserved_connections')::bigint,
                    (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),
                    (select nullif(datconnlimit, -1) from pg_database where datname = current_database()))
                """)) ?? 0
    }

    /// Seconds since the Unix epoch by the database's clock.
    package func clock() throws(PostgresError) -> Double {
        Double(try value("select extract(epoch from clock_timestamp())")) ?? 0
    }

    package func role() throws(PostgresError) -> String { try value("select current_user") }

    /// The rights that the role lacks, by table; empty when it has all.
    ///
    /// - Parameter rights: privileges of tables, of sequences (`…_seq`) and of `the database`, separated by commas; `update of a column` is
    ///   the right to update any column.
    package func lacking(_ rights: [(name: String, privileges: String)]) throws(PostgresError) -> String {
        try session.query(
            """
            select r.name || ': ' || string_agg(p, ', ' order by n)
            from unnest(string_to_array($1, ';'), string_to_array($2, ';')) with ordinality as r (name, privileges, place),
                 unnest(string_to_array(r.privileges, ',')) with ordinality as u (p, n)
            where case when r.name = 'the database' then not has_database_privilege(current_database(), p)
                when to_regclass(r.name) is null then false
                when r.name like '%_seq' then not has_sequence_privilege(to_regclass(r.name), p)
                when p = 'update of a column' then not has_any_column_privilege(to_regclass(r.name), 'update')
                else not has_table_privilege(to_regclass(r.name), p) end
            group by r.name, r.place order by r.place
            """, [rights.map(\.name).joined(separator: ";"), rights.map(\.privileges).joined(separator: ";")]
        ).compactMap { $0.first ?? nil }.joined(separator: "; ")
    }

    /// Those of the named indexes that are missing or invalid.
    package func missing(indexes names: [String]) throws(PostgresError) -> [String] {
        try session.query(
            """
            select name from unnest(string_to_array($1, ',')) as n (name)
            where not exists (select from pg_index where indexrelid = to_regclass(name) and indisvalid and indisready)
            """, [names.joined(separator: ",")]
        ).compactMap { $0.first ?? nil }
    }

    /// Those of the named triggers, as `table.trigger`, that are missing or disabled, on each partition of a table too.
    package func missing(triggers names: [String]) throws(PostgresError) -> [String] {
        try session.query(
            """
            with named as (select split_part(n, '.', 1) as relation, split_part(n, '.', 2) as name
                           from unnest(string_to_array($1, ',')) n)
            select part || '.' || name
            from (select relation as part, name, to_regclass(relation) as oid from named
                  union select relid::text, name, relid from named, pg_partition_tree(to_regclass(relation))) t
            where not exists (select from pg_trigger where tgenabled in ('O', 'A') and tgrelid = t.oid and tgname = t.name)
            order by 1
            """, [names.joined(separator: ",")]
        ).compactMap { $0.first ?? nil }
    }

    private func value(_ sql: String, _ parameters: [String?] = []) throws(PostgresError) -> String {
        try session.query(sql, parameters).first?.first.flatMap { $0 } ?? ""
    }
}
