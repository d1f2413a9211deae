import Concurrency
import LUX
import Postgres

/// The limits and repeats of messages. They are counted in the database, so that they apply across restarts and servers.
package struct MessageRules: Sendable, Equatable {
    /// Messages of one account within an hour; `nil` for no limit.
    package var userLimit: Int? = 20
    /// Messages of all accounts within 24 hours; `nil` for no limit.
    package var dailyLimit: Int?
    /// Period after a message in which another request of the account sends none and gets the outcome of the first; zero for none.
    package var cooldown = Duration.zero
    /// Maximum time for which a message is pending; an older pending row belongs to a process that has ended.
    package var longestCall = Duration.seconds(10)

    package init() {}
}

/// The result of a request for a message.
package enum MessageStart: Sendable, Equatable {
    /// A row was created, and the message has to be sent.
    case begun(id: Int64, createdAt: Timestamp)
    /// The outcome of an earlier message applies to this request.
    case earlier(id: Int64)
    /// The account was deleted meanwhile.
    case missingUser
    /// A limit is exhausted. The value is the number of seconds until the next message is allowed.
    case limited(MessageLimit, retryAfter: Int)
}

/// A limit of messages.
package enum MessageLimit: Sendable, Equatable {
    /// Of one account, within an hour.
    case account
    /// Of all accounts, within 24 hours.
    case server
}

extension DeviceStore {
    static let messageStartStatements = [
        lockUser, messageOfKey, recentMessage, fullHour, lockServer, fullDay, insertMessage, messageStatus,
    ]

    /// Requests of one account wait for each other, so that of two at the same time the second sees the first one's row.
    private static let lockUser = PostgresStatement(
        "lock_user_for_message", "select id from users where id = $1 for no key update")

    private static let messageOfKey = PostgresStatement(
        "message_of_key",
        """
        select id from alimtalks
        where user_id = $1 and idempotency_key = encode(sha256(convert_to($2, 'UTF8')), 'hex')
          and created_at > statement_timestamp() - interval '24 hours'
        order by created_at desc, id desc limit 1
        """)

    /// A message of unknown outcome does not count, nor does one that a process left pending when it ended: two messages are
    /// better than none.
    private static let recentMessage = PostgresStatement(
        "recent_message",
        """
        select id from alimtalks
        where user_id = $1 and created_at > statement_timestamp() - $2 * interval '1 microsecond'
          and (status = 'sent'
            or status = 'pending' and created_at > statement_timestamp() - $3 * interval '1 microsecond')
        order by created_at desc, id desc limit 1
        """)

    /// The time of the oldest message within the last hour, if the limit is reached.
    private static let fullHour = PostgresStatement(
        "full_hour_of_messages",
        """
        select ceil(extract(epoch from created_at + interval '1 hour' - statement_timestamp()))::bigint from alimtalks
        where user_id = $1 and created_at > statement_timestamp() - interval '1 hour'
        order by created_at desc, id desc offset $2 limit 1
        """)

    /// Requests of all accounts wait for each other, so that two of them cannot use the same free place. The key is
    /// "lux" and "day" in ASCII.
    private static let lockServer = PostgresStatement(
        "lock_messages_of_server", "select pg_advisory_xact_lock(119251786817913)")

    private static let fullDay = PostgresStatement(
        "full_day_of_messages",
        """
        select ceil(extract(epoch from created_at + interval '24 hours' - statement_timestamp()))::bigint from alimtalks
        where created_at > statement_timestamp() - interval '24 hours'
        order by created_at desc, id desc offset $1 limit 1
        """)

    private static let insertMessage = PostgresStatement(
        "insert_message",
        """
        insert into alimtalks (user_id, provider, status, idempotency_key, created_at)
        values ($1, $2, 'pending', encode(sha256(convert_to($3, 'UTF8')), 'hex'), statement_timestamp())
        returning id, created_at
        """)

    /// Records that a message is about to be sent, before the provider is called, unless the outcome of an earlier one applies
    /// or a limit is exhausted.
    ///
    /// - Parameter key: the request's `Idempotency-Key`.
    /// - Throws: `PostgresError`.
    package func beginMessage(
        userID: Int64, provider: String, key: String?, rules: MessageRules
    ) async throws -> MessageStart {
        try await transaction { transaction in
            var queries = [Self.lockUser(.int8(userID))]
            queries.append(Self.messageOfKey(.int8(userID), .text(key)))
            queries.append(
                Self.recentMessage(
                    .int8(userID), .int8(rules.cooldown.wholeNanoseconds / 1_000),
                    .int8(rules.longestCall.wholeNanoseconds / 1_000)))
            queries.append(Self.fullHour(.int8(userID), .int8(Int64((rules.userLimit ?? 1) - 1))))
            let results = try await transaction.run(queries)
            guard results.count == 4 else {
                throw PostgresError(kind: .protocolViolation, message: "a statement without a result")
            }
            // It does not refer to a person who was erased.
            guard results[0].first != nil else { return .missingUser }
            if let row = results[1].first { return .earlier(id: try row.int8(0)) }
            if let row = results[2].first { return .earlier(id: try row.int8(0)) }
            if rules.userLimit != nil, let row = results[3].first {
                return .limited(.account, retryAfter: Int(max(1, try row.int8(0))))
            }
            if let limit = rules.dailyLimit,
                let row = try await transaction.run([Self.lockServer(), Self.fullDay(.int8(Int64(limit - 1)))]).last?
                    .first
            {
                return .limited(.server, retryAfter: Int(max(1, try row.int8(0))))
            }
            let inserted = try await transaction.run([
                Self.insertMessage(.int8(userID), .text(provider), .text(key))
            ])
            guard let row = inserted.first?.first else {
                throw PostgresError(kind: .protocolViolation, message: "the insert returned no row")
            }
            let start = MessageStart.begun(
                id: try row.int8(0), createdAt: Timestamp(microseconds: try row.timestamptz(1)))
            try await transaction.commit([])
            return start
        }
    }

    private static let messageStatus = PostgresStatement(
        "message_status",
        """
        select case when status = 'pending' and created_at < statement_timestamp() - $2 * interval '1 microsecond'
               then 'unknown' else status end
        from alimtalks where id = $1
        """)

    /// The status of a message; `unknown` for one that a process left pending when it ended.
    ///
    /// - Throws: `PostgresError`.
    package func messageStatus(id: Int64, rules: MessageRules) async throws(PostgresError) -> String? {
        try await read(
            Self.messageStatus(.int8(id), .int8(rules.longestCall.wholeNanoseconds / 1_000))
        ).first?.textOrNull(0)
    }
}
