import Postgres

/// The recipient of a message and the child that it is about.
package struct MessageRecipient: Sendable, Equatable {
    /// As it is stored.
    package var phoneNumber: String?
    /// First name of the child in treatment, or whose device was used last; empty when no child of the account has a device.
    package var child = ""
    /// The alias of that child's device.
    package var device = ""
    /// First names of the account's children that have a device, in the order in which the accounts were created.
    package var children: [String] = []
}

extension DeviceStore {
    static let recipientStatements = [messageRecipient]

    /// A device without an alias.
    private static let unnamedDevice = "LUX"

    /// The pairs of an account, the one in treatment first. A temporary log that has not changed for a day belongs to a treatment that
    /// was broken off; its start may be in the future where the clock of a device is wrong.
    private static let messageRecipient = PostgresStatement(
        "message_recipient",
        """
        select u.phone_number, pair.child_id, pair.first_name, pair.device_alias
        from users u
        left join lateral (
          select r.id as child_id, r.first_name, d.id as device_id, d.device_alias,
            (select t.updated_at from device_logs t
             where t.device_id = d.id and t.real_user_id = r.id and t.finish_flag is null
               and t.updated_at > statement_timestamp() - interval '24 hours') as in_treatment,
            coalesce(
              (select least(l.treatment_date, l.updated_at) from device_logs l
               where l.real_user_id = r.id and l.device_id = d.id
               order by l.treatment_date desc, l.id desc limit 1),
              d.connected_at) as used
          from real_users r join devices d on d.real_user_id = r.id
          where r.root_user_id = u.id
        ) pair on true
        where u.id = $1
        order by pair.in_treatment desc nulls last, pair.used desc nulls last, pair.device_id desc
        """)

    /// The recipient of the messages of a user; `nil` when there is no such user.
    ///
    /// - Throws: `PostgresError`.
    package func messageRecipient(userID: Int64) async throws(PostgresError) -> MessageRecipient? {
        let result = try await read(Self.messageRecipient(.int8(userID)))
        guard let first = result.first else { return nil }
        var recipient = MessageRecipient(phoneNumber: try first.textOrNull(0))
        guard try first.int8OrNull(1) != nil else { return recipient }
        recipient.child = try first.textOrNull(2) ?? ""
        recipient.device = try first.textOrNull(3) ?? Self.unnamedDevice
        var names: [Int64: String] = [:]
        for row in result.rows { names[try row.int8(1)] = try row.textOrNull(2) }
        recipient.children = names.sorted { $0.key < $1.key }.map(\.value)
        return recipient
    }
}
