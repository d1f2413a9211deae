import LUX

/// A message that asks a parent to look after the electrodes.
public struct Notification: Sendable {
    /// The account that the message is for.
    public var userID: Int64
    /// Where it goes.
    public var phoneNumber: PhoneNumber

    /// A message for the phone of a user.
    public init(userID: Int64, phoneNumber: PhoneNumber) {
        self.userID = userID
        self.phoneNumber = phoneNumber
    }
}

/// What became of a message. The set is closed: whatever a provider answers is one of these.
public enum NotificationOutcome: Sendable, Equatable {
    /// The provider took it; its own id for the message, where it gave one.
    case accepted(messageID: String?)
    /// The provider did not take it, and says why.
    case refused(reason: String)
    /// It may or may not have been taken. Never sent again by itself.
    case unknown(reason: String)
}

/// A way to send KakaoTalk messages (Alimtalk).
public protocol AlimtalkNotifier: Sendable {
    /// The provider's name as it stands in the configuration and in the audit rows.
    var name: String { get }

    /// Sends one message. A fault is an outcome, so this never throws.
    func send(_ notification: Notification) async -> NotificationOutcome
}
