/// A read in two forms: for one call, and for many calls in one statement. A constant of the program.
///
/// Calls of one turn of a loop become one execution of `many`, whose parameters are arrays: the nth elements are the nth
/// call's parameters. Its last column is the ordinal number of the call, counted from 1, by which its rows are sorted; the
/// columns before it are those of `one`.
package final class GroupableRead: Sendable {
    let one: PostgresStatement
    let many: PostgresStatement

    /// Both statements, for statistics.
    package var statements: [PostgresStatement] { [one, many] }

    package init(one: PostgresStatement, many: PostgresStatement) {
        self.one = one
        self.many = many
    }
}
