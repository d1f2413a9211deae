/// A statement that is prepared on each connection at its first use there.
package struct PostgresStatement: Sendable {
    /// Its name on the server and in logs; unique in the program.
    package let name: String
    /// Its text, with `$1`, `$2`, … where the parameters go.
    package let sql: String

    /// Takes literals only, so that no SQL text can be made from values.
    package init(_ name: StaticString, _ sql: StaticString) {
        self.name = name.description
        self.sql = sql.description
    }

    /// The statement with its parameters.
    package func callAsFunction(_ parameters: PostgresParameter...) -> PostgresQuery {
        PostgresQuery(statement: self, parameters: parameters)
    }
}

/// A statement and the parameters of one execution.
package struct PostgresQuery: Sendable {
    /// What is executed.
    package let statement: PostgresStatement
    /// Its parameters, in order.
    package let parameters: [PostgresParameter]
}
