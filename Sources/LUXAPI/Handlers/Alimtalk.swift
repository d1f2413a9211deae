import EventLoop
import HTTP
import LUX
import LUXNotify
import LUXStore

/// `POST alimtalk`: tells the parent that the electrodes have lost contact.
///
/// The audit row stands before the provider is called, so that a crash in between leaves a trace.
@Sendable func alimtalk(_ request: DeviceRequest) async throws -> HTTPResponse {
    guard let stored = try await request.store.phoneNumber(userID: request.userID),
        let number = PhoneNumber(stored), number.isUsableForAlimtalk
    else { throw LUXError.phoneNumberNotFound }
    let notifier = request.services.notifier
    let id = try await request.store.beginAlimtalk(userID: request.userID, provider: notifier.name)
    let outcome = await notifier.send(Notification(userID: request.userID, phoneNumber: number))
    await request.settle(id, outcome)
    guard case .accepted = outcome else { throw LUXError.alimtalkSendFailed }
    return .json(bytes: Array("null".utf8))
}

extension DeviceRequest {
    /// For settling, whatever time the provider has left of the request's.
    private static let settlingTime = Duration.seconds(2)

    /// Records what became of a message. The client is told of the message: a row that cannot be settled stays `pending`, and
    /// makes no failure of what was sent.
    fileprivate func settle(_ id: Int64, _ outcome: NotificationOutcome) async {
        let store = DeviceStore(pool: services.pool, deadline: .now() + Self.settlingTime)
        switch outcome {
        case .accepted(let messageID):
            try? await store.settleAlimtalk(id: id, status: "sent", messageID: messageID, error: nil)
        case .refused(let reason):
            try? await store.settleAlimtalk(id: id, status: "failed", messageID: nil, error: reason)
        case .unknown(let reason):
            try? await store.settleAlimtalk(id: id, status: "unknown", messageID: nil, error: reason)
        }
    }
}
