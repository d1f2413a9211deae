import Synchronization

/// A statement that each session prepares when it first executes it. A constant of the program.
package final class PostgresStatement: Sendable {
    private static let created = Atomic(0)

    /// Its name on the server and in logs; unique in the program.
    package let name: String
    /// Its text, with `$1`, `$2`, … for the parameters.
    package let sql: String
    /// Its place in the tables of a session.
    let index: Int

    package init(_ name: StaticString, _ sql: SQL) {
        self.name = name.description
        self.sql = sql.text
        index = Self.created.wrappingAdd(1, ordering: .relaxed).oldValue
    }

    /// The statement with its parameters.
    package func callAsFunction(_ parameters: PostgresParameter...) -> PostgresQuery {
        PostgresQuery(statement: self, parameters: parameters)
    }
}

/// A statement and the parameters of one execution.
package struct PostgresQuery: Sendable {
    package let statement: PostgresStatement
    package let parameters: [PostgresParameter]
}
