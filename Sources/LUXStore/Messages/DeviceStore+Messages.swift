import Concurrency
import LUX
import Postgres

extension DeviceStore {
    static let messageStatements = [settleAlimtalk]

    /// `sent` is the provider's own outcome: it replaces what a look-up has found since. The message of an account that was erased
    /// meanwhile stays without an id.
    private static let settleAlimtalk = PostgresStatement(
        "settle_alimtalk",
        """
        update alimtalks set status = $2, message_id = case when user_id is not null then $3 end, error = $4
        where id = $1 and (status = 'pending' or $2 = 'sent')
        """)

    /// Records the outcome of a message.
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
