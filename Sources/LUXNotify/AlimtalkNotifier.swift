import Concurrency
import LUX

/// A message that asks a parent to look after the electrodes.
package struct Notification: Sendable {
    /// The account that the message is for.
    package var userID: Int64
    /// Where it goes.
    package var phoneNumber: PhoneNumber
    /// The first names of the account's children.
    package var children: [String]
    /// When it was asked for.
    package var time: Timestamp
    /// Names the message at the provider, so that it is found there again and not taken twice: see ``reference(row:created:)``.
    package var reference: String

    /// A message for the phone of a user.
    package init(
        userID: Int64, phoneNumber: PhoneNumber, children: [String] = [], time: Timestamp, reference: String
    ) {
        self.userID = userID
        self.phoneNumber = phoneNumber
        self.children = children
        self.time = time
        self.reference = reference
    }

    /// The reference of the message of an audit row. The time keeps apart the rows of several databases that send through
    /// one account.
    package static func reference(row id: Int64, created: Timestamp) -> String {
        "lux-\(id)-\(created.microseconds)"
    }
}

/// What became of a message. The set is closed: whatever a provider answers is one of these.
package enum NotificationOutcome: Sendable, Equatable {
    /// The provider took it; its own id for the message, where it gave one.
    case accepted(messageID: String?)
    /// The provider did not take it and never will: recipient, template or content.
    case refused(reason: String)
    /// The provider does not take anything as things are: keys, sender profile, address, clock, balance.
    case misconfigured(reason: String)
    /// The provider did not take it now. `isSafe`: this attempt surely reached nobody, so that a repeat cannot be a second one;
    /// without it the message may have arrived. `isSoon`: a repeat within seconds may help.
    case tryLater(reason: String, isSafe: Bool, isSoon: Bool = true)
    /// It may or may not have been taken. Never sent again by itself.
    case unknown(reason: String)

    /// Why it is not accepted, made of codes only, so that no number and no key is in it.
    package var reason: String? {
        switch self {
        case .accepted: nil
        case .refused(let reason), .misconfigured(let reason), .unknown(let reason): reason
        case .tryLater(let reason, _, _): reason
        }
    }

    /// The status of its audit row.
    package var auditStatus: String {
        switch self {
        case .accepted: "sent"
        case .refused, .misconfigured: "failed"
        case .tryLater, .unknown: mayHaveArrived ? "unknown" : "failed"
        }
    }

    /// Whether it is not accepted and may have been taken all the same.
    var mayHaveArrived: Bool {
        switch self {
        case .unknown, .tryLater(_, isSafe: false, _): true
        case .accepted, .refused, .misconfigured, .tryLater: false
        }
    }
}

/// A way to send KakaoTalk messages (Alimtalk).
package protocol AlimtalkNotifier: Sendable {
    /// The provider's name as it stands in the configuration and in the audit rows.
    var name: String { get }

    /// Sends one message. A fault is an outcome, so this never throws.
    ///
    /// - Parameter deadline: by when it ends; `nil` for the notifier's own time.
    func send(_ notification: Notification, deadline: MonotonicTime?) async -> NotificationOutcome
}
