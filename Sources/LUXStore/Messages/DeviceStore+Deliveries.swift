import Concurrency
import LUX
import Postgres

/// A poll for results that this server has claimed.
package struct DeliveryPoll: Sendable, Equatable {
    /// Results that changed at this time or later are not stored yet.
    package var from: Timestamp
    package var until: Timestamp
    /// Whether it goes back to the oldest open message: a message may have become `sent` after its result had changed.
    package var isSweep: Bool
}

/// A result to store.
package struct DeliveryResult: Sendable, Equatable {
    package var messageID: String
    /// `delivered` or `undelivered`; `nil` for a final result whose meaning is not known.
    package var result: String?
    package var code: String?

    package init(messageID: String, result: String?, code: String?) {
        self.messageID = messageID
        self.result = result
        self.code = code
    }
}

/// A message whose result is open.
package struct OpenMessage: Sendable, Equatable {
    package var id: Int64
    package var messageID: String
    package var createdAt: Timestamp
}

/// A result of an open message that was stored.
package struct StoredDelivery: Sendable, Equatable {
    /// Its row.
    package var id: Int64
    package var result: String?
    package var code: String?
}

extension DeviceStore {
    static let deliveryStatements = [claimDeliveryPoll, openMessages, storeDeliveries, releaseDeliveryPoll]

    /// Results after that are not expected: KakaoTalk confirms within three days or not at all.
    private static let isOpen: SQL = """
        status = 'sent' and delivery is null and message_id is not null and delivery_at is null
          and created_at > statement_timestamp() - interval '3 days'
        """

    /// One server at a time: the row is claimed for 30 seconds, and not before its next poll. A hint takes precedence, but not
    /// within five seconds of the latest poll. Without open messages there is nothing to claim.
    private static let claimDeliveryPoll = PostgresStatement(
        "claim_delivery_poll",
        """
        insert into alimtalk_polls as p (provider, claimed_until, next_poll, polled_at)
        select $1, statement_timestamp() + interval '30 seconds',
          statement_timestamp() + $2 * interval '1 microsecond', statement_timestamp()
        where exists (select from alimtalks where provider = $1 and \(isOpen))
        on conflict (provider) do update
          set claimed_until = excluded.claimed_until, next_poll = excluded.next_poll, polled_at = excluded.polled_at
          where p.claimed_until <= statement_timestamp()
            and (p.next_poll <= statement_timestamp()
              or $3 = 1 and p.polled_at <= statement_timestamp() - interval '5 seconds')
        returning
          case when p.swept_at > statement_timestamp() - interval '1 hour' then p.results_until - interval '2 minutes' end,
          (select min(created_at) - interval '5 minutes' from alimtalks where provider = $1 and \(isOpen)),
          statement_timestamp()
        """)

    /// Claims a poll; `nil` when none is due or another server has claimed it.
    ///
    /// - Throws: `PostgresError`.
    package func claimDeliveryPoll(
        provider: String, interval: Duration, isHinted: Bool
    ) async throws -> DeliveryPoll? {
        try await transaction { transaction in
            let results = try await transaction.run([
                Self.claimDeliveryPoll(
                    .text(provider), .int8(interval.wholeNanoseconds / 1_000), .int8(isHinted ? 1 : 0))
            ])
            var poll: DeliveryPoll?
            if let row = results.first?.first {
                let (recent, oldest) = (try row.timestamptzOrNull(0), try row.timestamptzOrNull(1))
                let until = try row.timestamptz(2)
                poll = DeliveryPoll(
                    from: Timestamp(microseconds: recent ?? oldest ?? until), until: Timestamp(microseconds: until),
                    isSweep: recent == nil)
            }
            try await transaction.commit([])
            return poll
        }
    }

    /// Round robin: first the messages after the latest one that was asked for.
    private static let openMessages = PostgresStatement(
        "open_messages",
        """
        select id, message_id, created_at from alimtalks
        where provider = $1 and \(isOpen) and created_at < statement_timestamp() - $2 * interval '1 microsecond'
        order by id <= $3, id limit $4
        """)

    /// Some messages whose result is open, for a provider that is asked for each individually.
    ///
    /// - Parameters:
    ///   - age: of the youngest.
    ///   - last: the row of the latest message that was asked for.
    /// - Throws: `PostgresError`.
    package func openMessages(
        of provider: String, olderThan age: Duration, after last: Int64, limit: Int
    ) async throws(PostgresError) -> [OpenMessage] {
        let result = try await read(
            Self.openMessages(
                .text(provider), .int8(age.wholeNanoseconds / 1_000), .int8(last), .int8(Int64(limit))))
        var messages: [OpenMessage] = []
        for row in result.rows {
            messages.append(
                OpenMessage(
                    id: try row.int8(0), messageID: try row.text(1),
                    createdAt: Timestamp(microseconds: try row.timestamptz(2))))
        }
        return messages
    }

    private static let storeDeliveries = PostgresStatement(
        "store_deliveries",
        """
        update alimtalks a set delivery = r.result, delivery_code = r.code, delivery_at = statement_timestamp()
        from unnest($2::text[], $3::text[], $4::text[]) r (message, result, code)
        where a.provider = $1 and a.message_id = r.message and \(isOpen)
        returning a.id, a.delivery, a.delivery_code
        """)

    private static let releaseDeliveryPoll = PostgresStatement(
        "release_delivery_poll",
        """
        update alimtalk_polls
        set claimed_until = statement_timestamp() + $5 * interval '1 microsecond',
          results_until = case when $2 = 1 then $3 else results_until end,
          swept_at = case when $2 = 1 and $4 = 1 then $3 else swept_at end
        where provider = $1
        """)

    /// Stores results and releases the claim.
    ///
    /// - Parameters:
    ///   - deliveries: those of messages that are not open change nothing.
    ///   - isComplete: whether these are all results of the poll's span.
    ///   - pause: for how long no server polls, not even after a hint.
    /// - Returns: the results of messages that were open.
    /// - Throws: `PostgresError`.
    package func finish(
        _ poll: DeliveryPoll, provider: String, deliveries: [DeliveryResult], isComplete: Bool, pause: Duration
    ) async throws -> [StoredDelivery] {
        try await transaction { transaction in
            let results = try await transaction.run([
                Self.storeDeliveries(
                    .text(provider), .textArray(deliveries.map { $0.messageID }),
                    .textArray(deliveries.map { $0.result }),
                    .textArray(deliveries.map { $0.code })),
                Self.releaseDeliveryPoll(
                    .text(provider), .int8(isComplete ? 1 : 0), .timestamptz(poll.until.microseconds),
                    .int8(poll.isSweep ? 1 : 0), .int8(pause.wholeNanoseconds / 1_000)),
            ])
            var stored: [StoredDelivery] = []
            guard let changed = results.first else {
                throw PostgresError(kind: .protocolViolation, message: "a statement without a result")
            }
            for row in changed.rows {
                stored.append(
                    StoredDelivery(id: try row.int8(0), result: try row.textOrNull(1), code: try row.textOrNull(2)))
            }
            try await transaction.commit([])
            return stored
        }
    }
}
