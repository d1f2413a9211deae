import Postgres

/// Writes everything that is stored about a person as one JSON object, row by row as the database sends it. Owned by its command
/// and used on its thread.
///
/// Rows are written with all their columns, by `row_to_json`, so that a column which is added later is not forgotten.
package struct PersonExport {
    private let person: Person

    package init(_ person: Person) {
        self.person = person
    }

    /// A member of the object and the statements whose rows are its elements.
    private struct Section {
        let name: String
        var queries: [(sql: String, parameters: [String])]
    }

    /// Writes the object, all of it as of one point in time.
    ///
    /// - Parameter count: grows with each row that was written.
    /// - Throws: `PostgresError`, what `write` throws.
    package func run(
        _ session: PostgresSession, count: inout Int, _ write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try session.execute(script: "begin isolation level repeatable read read only; set local timezone = 'UTC'")
        defer { try? session.execute(script: "rollback") }
        func text(_ text: String) throws {
            var text = text
            try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
        }
        for (index, section) in try sections(session).enumerated() {
            try text("\(index == 0 ? "{" : ",\n")\"\(section.name)\":[")
            var isFirst = true
            for query in section.queries {
                try session.stream(query.sql, query.parameters) { row in
                    try text((isFirst ? "\n" : ",\n") + (row.first.flatMap { $0 } ?? "null"))
                    isFirst = false
                    count += 1
                }
            }
            try text("]")
        }
        try text("}\n")
    }

    private func sections(_ session: PostgresSession) throws(PostgresError) -> [Section] {
        switch person {
        case .child(let id):
            return [
                Section(
                    name: "children", queries: [("select row_to_json(c) from real_users c where id = $1", [String(id)])]
                )
            ]
                + Self.sections(ofChildren: [String(id)], user: nil)
        case .user(let id):
            let user = [String(id)]
            let children = try session.query("select id from real_users where root_user_id = $1 order by id", user)
                .compactMap { $0.first ?? nil }
            return [
                Section(name: "users", queries: [("select row_to_json(u) from users u where id = $1", user)]),
                Section(
                    name: "children",
                    queries: [("select row_to_json(c) from real_users c where root_user_id = $1 order by id", user)]),
                Section(
                    name: "messages",
                    queries: [
                        ("select row_to_json(m) from alimtalks m where user_id = $1 order by created_at, id", user)
                    ]),
            ] + Self.sections(ofChildren: children, user: String(id))
        }
    }

    /// One statement for each child: each reads its rows by index, in the order of the index.
    private static func sections(ofChildren children: [String], user: String?) -> [Section] {
        func each(_ sql: String) -> [(sql: String, parameters: [String])] { children.map { (sql, [$0]) } }
        var access = each("select row_to_json(a) from access_records a where child_id = $1 order by id")
        if let user {
            access = children.map { child in
                (
                    "select row_to_json(a) from access_records a where child_id = $1 and user_id is distinct from $2::bigint order by id",
                    [child, user]
                )
            }
            access.append(("select row_to_json(a) from access_records a where user_id = $1 order by id", [user]))
        }
        return [
            Section(
                name: "devices",
                queries: each("select row_to_json(d) from devices d where real_user_id = $1 order by id")),
            Section(
                name: "logs",
                queries: each(
                    "select row_to_json(l) from device_logs l where real_user_id = $1 order by treatment_date, id")),
            Section(
                name: "support_actions",
                queries: each(
                    "select row_to_json(a) from support_actions a where detail ->> 'real_user_id' = $1 order by id")),
            Section(name: "access_records", queries: access),
        ]
    }
}
