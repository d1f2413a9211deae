import LUX

/// A message of unknown outcome, as far as its audit row describes it.
package struct SoughtMessage: Sendable {
    /// The account that it is for.
    package var userID: Int64
    /// The account's present number; `nil` when it has none.
    package var phoneNumber: PhoneNumber?
    /// When it was requested.
    package var time: Timestamp
    /// See ``AlimtalkMessage/reference``.
    package var reference: String
    /// The ids of messages that belong to other rows.
    package var otherIDs: Set<String>

    package init(
        userID: Int64, phoneNumber: PhoneNumber?, time: Timestamp, reference: String, otherIDs: Set<String> = []
    ) {
        self.userID = userID
        self.phoneNumber = phoneNumber
        self.time = time
        self.reference = reference
        self.otherIDs = otherIDs
    }
}

/// The requests that find out the outcome of one message. A value without I/O: ``ProviderNotifier`` sends each request and passes the
/// reply on until a step ends it.
package protocol ProviderLookUp: Sendable {
    /// The next request, signed for this attempt; `nil` when the account has no number, which the provider needs.
    func request(attempt: SendingAttempt) -> ProviderRequest?
    /// Reads the reply to it.
    mutating func read(_ reply: ProviderReply, at unixMilliseconds: Int64) -> LookUpStep
}

/// What follows from one reply of a look-up.
package enum LookUpStep: Sendable, Equatable {
    /// There is another request.
    case next
    /// The outcome of the message.
    case settled(MessageOutcome)
    /// The provider lists all of its messages, and this one is not among them.
    case notFound
    /// The provider itself does not know yet; a later look-up will show it.
    case waits(String)
    /// The reply leaves it open; the reason, without number and keys.
    case open(String)
}

extension SoughtMessage {
    /// Seconds since the message was requested.
    func age(at unixMilliseconds: Int64) -> Int64 {
        (unixMilliseconds - time.microseconds / 1_000) / 1_000
    }

    /// A time near the message's as Korean clocks show it, `2025-02-21 15:48:00`.
    func koreanTime(adding seconds: Int64) -> String {
        // Korea has had no summer time since 1988.
        var bytes: [UInt8] = []
        time.adding(seconds: seconds + 9 * 3_600).appendISO8601(to: &bytes)
        return String(decoding: bytes.prefix(19), as: UTF8.self).replacing("T", with: " ")
    }

    /// Whether a number as a provider writes it is the account's.
    func isNumber(_ text: String) -> Bool {
        guard let phoneNumber else { return false }
        return PhoneNumber(text) == phoneNumber
            || text.filter(\.isNumber).hasSuffix(String(phoneNumber.e164.dropFirst()))
    }
}
