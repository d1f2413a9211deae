import Postgres

extension DeviceStore {
    private static let insertAlimtalk = PostgresStatement(
        "insert_alimtalk",
        "insert into alimtalks (user_id, provider, status) values ($1, $2, 'pending') returning id")

    private static let settleAlimtalk = PostgresStatement(
        "settle_alimtalk",
        "update alimtalks set status = $2, message_id = $3, error = $4 where id = $1 and status = 'pending'")

    /// Records that a message is about to be sent, before the provider is called.
    ///
    /// - Returns: the id of the audit row.
    /// - Throws: `PostgresError`.
    public func beginAlimtalk(userID: Int64, provider: String) async throws -> Int64 {
        try await transaction { transaction in
            let results = try await transaction.run([Self.insertAlimtalk(.int8(userID), .text(provider))])
            guard let id = try results.first?.first?.int8(0) else {
                throw PostgresError(kind: .protocolViolation, message: "the insert returned no row")
            }
            try await transaction.commit([])
            return id
        }
    }

    /// Records what became of a message.
    ///
    /// - Parameters:
    ///   - status: `sent`, `failed` or `unknown`.
    ///   - error: the reason, without any phone number.
    /// - Throws: `PostgresError`.
    public func settleAlimtalk(id: Int64, status: String, messageID: String?, error: String?) async throws {
        try await transaction { transaction in
            try await transaction.commit([
                Self.settleAlimtalk(.int8(id), .text(status), .text(messageID), .text(error))
            ])
        }
    }
}
