import Concurrency
import HTTP
import LUX
import LUXNotify
import LUXStore

/// `POST alimtalk`: sends the parent a message that the electrodes have lost contact.
///
/// The audit row is stored before the provider is called, so that a crash in between leaves a trace.
@Sendable func alimtalk(_ request: DeviceRequest) async throws -> HTTPResponse {
    guard let recipient = try await request.store.messageRecipient(userID: request.userID),
        let number = recipient.phoneNumber.flatMap({ PhoneNumber($0) }), number.isUsableForAlimtalk
    else { throw LUXError.phoneNumberNotFound }
    let notifier = request.services.notifier
    let start = try await request.store.beginMessage(
        userID: request.userID, provider: notifier.name, key: request.idempotencyKey,
        rules: request.services.messageRules)
    switch start {
    case .limited(.account, let seconds): throw APIError.tooManyRequests(retryAfter: seconds)
    case .limited(.server, let seconds):
        throw APIError.tooManyRequests(retryAfter: seconds, cause: "the messages of all accounts within 24 hours")
    case .missingUser: throw LUXError.phoneNumberNotFound
    case .earlier(let id): try await request.awaitMessage(id)
    case .begun(let id, let createdAt):
        let outcome = await notifier.send(
            AlimtalkMessage(
                userID: request.userID, phoneNumber: number, child: recipient.child, device: recipient.device,
                children: recipient.children, time: createdAt,
                reference: AlimtalkMessage.reference(row: id, created: createdAt)),
            deadline: request.deadline + (.zero - request.settlingTime))
        request.services.counted.count(outcome, of: notifier.name)
        await request.settle(id, outcome)
        guard case .accepted = outcome else { throw APIError.alimtalkSendFailed(outcome.reason ?? "") }
    }
    return .json(bytes: Array("null".utf8))
}

extension DeviceRequest {
    /// Interval between two checks for the outcome of a message in flight.
    private static let pollInterval = Duration.milliseconds(100)

    /// The value of `Idempotency-Key`; several fields are one list (RFC 9110 section 5.3). An empty value counts as absent: it would
    /// suppress every further message of the account.
    fileprivate var idempotencyKey: String? {
        let value = http.headers.values(for: "idempotency-key").joined(separator: ", ")
        return value.isEmpty || value == "\"\"" ? nil : value
    }

    /// Returns when an earlier message was sent; waits while it is in flight.
    ///
    /// - Throws: `APIError.alimtalkSendFailed` when it was not, or its outcome did not arrive in time; `StoreError`.
    fileprivate func awaitMessage(_ id: Int64) async throws {
        while true {
            let status = try await store.messageStatus(id: id, rules: services.messageRules)
            if status == "sent" { return }
            guard status == "pending" else {
                throw APIError.alimtalkSendFailed("the earlier message: \(status ?? "gone")")
            }
            guard .now() + settlingTime < deadline else {
                throw APIError.alimtalkSendFailed("the earlier message is still in flight")
            }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    /// Part of the request's time that is not the provider's, so that the row is settled before the deadline.
    fileprivate var settlingTime: Duration { min(.milliseconds(500), services.handlerTimeout / 4) }

    /// Records the outcome of a message. The client gets the outcome in any case: a row that cannot be settled stays `pending`, and
    /// does not turn a message that was sent into a failure.
    fileprivate func settle(_ id: Int64, _ outcome: MessageOutcome) async {
        let store = services.database.store(deadline: max(deadline, .now() + settlingTime))
        var messageID: String?
        if case .accepted(let id) = outcome { messageID = id }
        let sentID = messageID
        // A task of its own: the request's is cancelled when its client hangs up, and the message is sent all the same.
        await Task(executorPreference: services.database.executor) {
            do {
                try await store.settleAlimtalk(
                    id: id, status: outcome.auditStatus, messageID: sentID, error: outcome.reason)
            } catch {
                services.onUnsettledAlimtalk(id, error)
            }
        }.value
    }
}
