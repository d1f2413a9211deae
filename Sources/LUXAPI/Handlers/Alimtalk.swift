import Concurrency
import EventLoop
import HTTP
import LUX
import LUXNotify
import LUXStore
import Postgres

/// `POST alimtalk`: tells the parent that the electrodes have lost contact.
///
/// The audit row stands before the provider is called, so that a crash in between leaves a trace.
@Sendable func alimtalk(_ request: DeviceRequest) async throws -> HTTPResponse {
    guard let recipient = try await request.store.alimtalkRecipient(userID: request.userID),
        let number = recipient.phoneNumber.flatMap({ PhoneNumber($0) }), number.isUsableForAlimtalk
    else { throw LUXError.phoneNumberNotFound }
    let notifier = request.services.notifier
    let row = try await request.store.beginAlimtalk(
        userID: request.userID, provider: notifier.name, cooldown: request.services.alimtalkCooldown,
        longestCall: request.services.requestTimeout)
    // Nothing begun: the parent was told a moment ago.
    if let row {
        let outcome = await notifier.send(
            Notification(
                userID: request.userID, phoneNumber: number, children: recipient.children, time: row.createdAt,
                reference: Notification.reference(row: row.id, created: row.createdAt)),
            deadline: request.store.deadline + (.zero - request.settlingTime))
        request.services.counted.count(outcome, of: notifier.name)
        await request.settle(row.id, outcome)
        guard case .accepted = outcome else { throw APIError.alimtalkSendFailed(outcome.reason ?? "") }
    }
    return .json(bytes: Array("null".utf8))
}

extension DeviceRequest {
    /// Part of the request's time that is not the provider's, so that the row is settled before the answer is due.
    fileprivate var settlingTime: Duration { min(.milliseconds(500), services.requestTimeout / 4) }

    /// Records what became of a message. The client is told of the message: a row that cannot be settled stays `pending`, and
    /// makes no failure of what was sent.
    fileprivate func settle(_ id: Int64, _ outcome: NotificationOutcome) async {
        let store = DeviceStore(pool: services.pool, deadline: max(store.deadline, .now() + settlingTime))
        var messageID: String?
        if case .accepted(let id) = outcome { messageID = id }
        let answered = messageID
        // A task of its own: the request's is cancelled when its client hangs up, and the message is sent all the same.
        await Task(executorPreference: services.pool.loop) {
            do {
                try await store.settleAlimtalk(
                    id: id, status: outcome.auditStatus, messageID: answered, error: outcome.reason)
            } catch {
                services.onUnsettledAlimtalk(id, error)
            }
        }.value
    }
}
