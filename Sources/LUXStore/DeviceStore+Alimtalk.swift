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

    private static let insertAlimtalk = PostgresStatement(
        "insert_alimtalk",
        """
        insert into alimtalks (user_id, provider, status) values ($1, $2, 'pending')
        returning id, created_at
        """)

    /// Requests of one user stand in line, so that of two at once the second sees the first one's row.
    private static let lockUser = PostgresStatement(
        "lock_user_for_alimtalk", "select id from users where id = $1 for no key update")

    /// A message of unknown outcome does not count, nor does one that a process which is gone left pending: better two messages
    /// than none.
    private static let insertAlimtalkUnlessRecent = PostgresStatement(
        "insert_alimtalk_unless_recent",
        """
        insert into alimtalks (user_id, provider, status)
        select $1, $2, 'pending'
        where not exists (
            select 1 from alimtalks
            where user_id = $1 and created_at > clock_timestamp() - $3 * interval '1 microsecond'
              and (status = 'sent'
                or status = 'pending' and created_at > clock_timestamp() - $4 * interval '1 microsecond'))
        returning id, created_at
        """)

    /// What the provider has said itself stands, whatever a look-up found meanwhile.
    private static let settleAlimtalk = PostgresStatement(
        "settle_alimtalk",
        """
        update alimtalks set status = $2, message_id = $3, error = $4
        where id = $1 and (status = 'pending' or $2 = 'sent')
        """)

    /// Records that a message is about to be sent, before the provider is called.
    ///
    /// - Parameters:
    ///   - cooldown: for so long after a message to this user nothing is begun; zero for no such time.
    ///   - longestCall: what is pending for longer than this is under way no more.
    /// - Returns: the audit row, or `nil` when nothing was begun.
    /// - Throws: `PostgresError`.
    package func beginAlimtalk(
        userID: Int64, provider: String, cooldown: Duration = .zero, longestCall: Duration
    ) async throws -> (id: Int64, createdAt: Timestamp)? {
        try await transaction { transaction in
            let queries =
                cooldown > .zero
                ? [
                    Self.lockUser(.int8(userID)),
                    Self.insertAlimtalkUnlessRecent(
                        .int8(userID), .text(provider), .int8(cooldown.wholeNanoseconds / 1_000),
                        .int8(longestCall.wholeNanoseconds / 1_000)),
                ] : [Self.insertAlimtalk(.int8(userID), .text(provider))]
            let row = try await transaction.run(queries).last?.first
            let begun = try row.map { (id: try $0.int8(0), createdAt: Timestamp(microseconds: try $0.timestamptz(1))) }
            if begun == nil, cooldown == .zero {
                throw PostgresError(kind: .protocolViolation, message: "the insert returned no row")
            }
            try await transaction.commit([])
            return begun
        }
    }

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
