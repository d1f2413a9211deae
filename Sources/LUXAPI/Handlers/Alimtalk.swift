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
    switch await notifier.send(Notification(userID: request.userID, phoneNumber: number)) {
    case .accepted(let messageID):
        try await request.store.settleAlimtalk(id: id, status: "sent", messageID: messageID, error: nil)
        return .json(bytes: Array("null".utf8))
    case .refused(let reason):
        try await request.store.settleAlimtalk(id: id, status: "failed", messageID: nil, error: reason)
        throw LUXError.alimtalkSendFailed
    case .unknown(let reason):
        try await request.store.settleAlimtalk(id: id, status: "unknown", messageID: nil, error: reason)
        throw LUXError.alimtalkSendFailed
    }
}
