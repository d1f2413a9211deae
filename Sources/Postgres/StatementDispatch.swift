/// How the statements of a connection reach a session that has their settings. A value.
struct StatementDispatch: Sendable {
    /// Whether statements are prepared once and executed by name.
    let prepares: Bool
    /// Sets the settings for the transaction that it is executed in; `nil` when the session has them.
    let settings: String?

    /// - Parameter settings: names and values of settings; constants and numbers of the program.
    init(_ sharing: SessionSharing, settings: [(name: String, value: String)]) {
        guard case .transactions(let carriesStatements) = sharing else {
            (prepares, self.settings) = (true, nil)
            return
        }
        prepares = carriesStatements
        // The transaction that they are set in has its isolation already.
        let calls = settings.filter { $0.name != "default_transaction_isolation" }.map { name, value in
            assert(!name.contains("'") && !value.contains("'"))
            return "set_config('\(name)', '\(value)', true)"
        }
        self.settings = "select " + calls.joined(separator: ", ")
    }
}
