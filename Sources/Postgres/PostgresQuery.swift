/// A statement that is prepared on each connection at its first use there.
public struct PostgresStatement: Sendable {
    /// Its name on the server and in logs; unique in the program.
    public let name: String
    /// Its text, with `$1`, `$2`, … where the parameters go.
    public let sql: String

    /// Takes literals only, so that no SQL text can be made from values.
    public init(_ name: StaticString, _ sql: StaticString) {
        self.name = name.description
        self.sql = sql.description
    }

    /// The statement with its parameters.
    public func callAsFunction(_ parameters: PostgresParameter...) -> PostgresQuery {
        PostgresQuery(statement: self, parameters: parameters)
    }
}

/// A statement and the parameters of one execution.
public struct PostgresQuery: Sendable {
    /// What is executed.
    public let statement: PostgresStatement
    /// Its parameters, in order.
    public let parameters: [PostgresParameter]
}
