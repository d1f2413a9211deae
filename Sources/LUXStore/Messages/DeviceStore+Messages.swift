import Concurrency
import LUX
import Postgres

extension DeviceStore {
    private static let alimtalkRecipient = PostgresStatement(
        "alimtalk_recipient",
        """
        select u.phone_number, r.first_name
        from users u
        left join real_users r on r.root_user_id = u.id
        where u.id = $1
        order by r.id
        """)

    /// The phone number of a user as it is stored, and the first names of the user's children; `nil` when there is no such user.
    ///
    /// - Throws: `PostgresError`.
    package func alimtalkRecipient(
        userID: Int64
    ) async throws(PostgresError) -> (phoneNumber: String?, children: [String])? {
        let result = try await read(Self.alimtalkRecipient(.int8(userID)))
        guard let first = result.first else { return nil }
        var children: [String] = []
        for row in result.rows {
            if let name = try row.textOrNull(1) { children.append(name) }
        }
        return (try first.textOrNull(0), children)
    }

    /// The provider's own statement is kept, whatever a look-up found meanwhile.
    private static let settleAlimtalk = PostgresStatement(
        "settle_alimtalk",
        """
        update alimtalks set status = $2, message_id = $3, error = $4
        where id = $1 and (status = 'pending' or $2 = 'sent')
        """)

    /// Records what became of a message.
    ///
    /// - Parameters:
    ///   - status: `sent`, `failed` or `unknown`.
    ///   - error: the reason, without any phone number.
    /// - Throws: `PostgresError`.
    package func settleAlimtalk(id: Int64, status: String, messageID: String?, error: String?) async throws {
        try await transaction { transaction in
            try await transaction.commit([
                Self.settleAlimtalk(.int8(id), .text(status), .text(messageID), .text(error))
            ])
        }
    }
}
