import Concurrency
import LUX

/// A message that asks a parent to look after the electrodes.
package struct AlimtalkMessage: Sendable {
    /// The account that the message is for.
    package var userID: Int64
    /// The account's number.
    package var phoneNumber: PhoneNumber
    /// The child in treatment, or the one whose device was used last.
    package var child: String
    /// The alias of that child's device.
    package var device: String
    /// The first names of the account's children that have a device.
    package var children: [String]
    /// When it was requested.
    package var time: Timestamp
    /// Identifies the message at the provider, by which it is looked up and not accepted twice: see ``reference(row:created:)``.
    package var reference: String

    package init(
        userID: Int64, phoneNumber: PhoneNumber, child: String = "", device: String = "", children: [String] = [],
        time: Timestamp, reference: String
    ) {
        self.userID = userID
        self.phoneNumber = phoneNumber
        self.child = child
        self.device = device
        self.children = children
        self.time = time
        self.reference = reference
    }

    /// The reference of the message of an audit row. The time distinguishes rows of several databases that send through one account.
    package static func reference(row id: Int64, created: Timestamp) -> String {
        "lux-\(id)-\(created.microseconds)"
    }
}

/// The outcome of a message. Whatever a provider replies is one of these. Reasons consist of codes and advice, so that no number and no
/// key is in them.
package enum MessageOutcome: Sendable, Equatable {
    /// The provider accepted it, under this id if it has one.
    case accepted(messageID: String?)
    /// The provider rejected it for good: recipient, template or content.
    case rejected(reason: String)
    /// The provider accepts nothing in the present configuration: keys, sender profile, address, clock, balance.
    case misconfigured(reason: String)
    /// The provider did not accept it now. `isSafe`: this attempt certainly reached nobody, so that a retry cannot be a second message;
    /// otherwise the message may have arrived. `isSoon`: a retry within seconds may help.
    case tryLater(reason: String, isSafe: Bool, isSoon: Bool = true)
    /// It may or may not have been accepted. It is never sent again.
    case unknown(reason: String)

    /// Why it is not accepted.
    package var reason: String? {
        switch self {
        case .accepted: nil
        case .rejected(let reason), .misconfigured(let reason), .unknown(let reason): reason
        case .tryLater(let reason, _, _): reason
        }
    }

    /// The status of its audit row.
    package var auditStatus: String {
        switch self {
        case .accepted: "sent"
        case .rejected, .misconfigured: "failed"
        case .tryLater, .unknown: mayHaveArrived ? "unknown" : "failed"
        }
    }

    /// Whether it may have been accepted although no reply confirms it.
    var mayHaveArrived: Bool {
        switch self {
        case .unknown, .tryLater(_, isSafe: false, _): true
        case .accepted, .rejected, .misconfigured, .tryLater: false
        }
    }
}

/// A way to send KakaoTalk messages (Alimtalk).
package protocol AlimtalkNotifier: Sendable {
    /// The provider's name in the configuration and in the audit rows.
    var name: String { get }

    /// Sends one message. An error is an outcome, so this never throws.
    ///
    /// - Parameter deadline: by when it returns; `nil` for the notifier's own timeout.
    func send(_ notification: AlimtalkMessage, deadline: MonotonicTime?) async -> MessageOutcome
}
