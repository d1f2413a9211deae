import Concurrency
import LUX
import Postgres

/// What limits and repeats mean for a message, as the database knows them: they hold across restarts and servers.
package struct MessageRules: Sendable, Equatable {
    /// Messages of one account within an hour; `nil` for no limit.
    package var userLimit: Int? = 20
    /// For so long after a message to an account another request sends none and gets that one's outcome; zero for never.
    package var cooldown = Duration.zero
    /// A row that is pending for longer belongs to a process that is gone.
    package var longestCall = Duration.seconds(10)

    package init() {}
}

/// What a request for a message leads to.
package enum MessageStart: Sendable, Equatable {
    /// A row was created, and the message has to be sent.
    case begun(id: Int64, createdAt: Timestamp)
    /// An earlier message's outcome is this request's, too.
    case earlier(id: Int64)
    /// The account has used up its hour; seconds until the next message is allowed.
    case limited(retryAfter: Int)
}

extension DeviceStore {
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

    /// A message of unknown outcome does not count, nor does one that a process which is gone left pending: better two
    /// messages than none.
    private static let recentMessage = PostgresStatement(
        "recent_message",
        """
        select id from alimtalks
        where user_id = $1 and created_at > statement_timestamp() - $2 * interval '1 microsecond'
          and (status = 'sent'
            or status = 'pending' and created_at > statement_timestamp() - $3 * interval '1 microsecond')
        order by created_at desc, id desc limit 1
        """)

    /// When the message that has to leave the hour first was asked for, if the hour is full.
    private static let fullHour = PostgresStatement(
        "full_hour_of_messages",
        """
        select ceil(extract(epoch from created_at + interval '1 hour' - statement_timestamp()))::bigint from alimtalks
        where user_id = $1 and created_at > statement_timestamp() - interval '1 hour'
        order by created_at desc, id desc offset $2 limit 1
        """)

    private static let insertMessage = PostgresStatement(
        "insert_message",
        """
        insert into alimtalks (user_id, provider, status, idempotency_key, created_at)
        values ($1, $2, 'pending', encode(sha256(convert_to($3, 'UTF8')), 'hex'), statement_timestamp())
        returning id, created_at
        """)

    /// Records that a message is about to be sent, before the provider is called, unless the outcome of an earlier one is this request's
    /// or the account has used up its hour.
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
            if let row = results[1].first { return .earlier(id: try row.int8(0)) }
            if let row = results[2].first { return .earlier(id: try row.int8(0)) }
            if rules.userLimit != nil, let row = results[3].first {
                return .limited(retryAfter: Int(max(1, try row.int8(0))))
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

    /// The status of a message; one that a process which is gone left pending is `unknown`.
    ///
    /// - Throws: `PostgresError`.
    package func messageStatus(id: Int64, rules: MessageRules) async throws(PostgresError) -> String? {
        try await read(
            Self.messageStatus(.int8(id), .int8(rules.longestCall.wholeNanoseconds / 1_000))
        ).first?.textOrNull(0)
    }
}
