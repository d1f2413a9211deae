/// A provider of Alimtalk: turns a message into one HTTP request and the HTTP reply into an outcome.
///
/// A value without I/O: time and randomness come with the ``SendingAttempt``. Deadline, retries, limits and HTTPS are the same for all
/// providers and are ``ProviderNotifier``'s.
package protocol AlimtalkProvider: Sendable {
    /// Its name in `LUX_ALIMTALK_PROVIDER`, in the names of its variables and in the audit rows.
    static var name: String { get }
    /// Scheme and host of its API, without a path.
    static var defaultBaseURL: String { get }
    /// The variables that it reads, in the order of the documents.
    static var variables: [ProviderVariable] { get }
    /// What its codes mean, and what an operator can do about each.
    static var codes: [CodeRule] { get }

    /// Reads its variables; errors are collected in `settings`.
    init(_ settings: inout AlimtalkSettings)

    /// Whether the provider rejects a second message with the same ``AlimtalkMessage/reference``, so that an attempt of unknown outcome
    /// can be retried.
    var rejectsRepeats: Bool { get }
    /// Texts that are never printed: keys, and the identifiers of the account in paths.
    var secrets: [String] { get }

    /// The request that sends a message, signed for this attempt.
    func request(for notification: AlimtalkMessage, attempt: SendingAttempt) -> ProviderRequest
    /// The outcome of the message according to a reply.
    func outcome(of reply: ProviderReply) -> MessageOutcome
    /// Begins to look a message up.
    func lookUp(_ message: SoughtMessage) -> any ProviderLookUp
}

/// A variable of one provider.
package struct ProviderVariable: Sendable {
    /// Its name among those of the provider, such as `SENDER_KEY`.
    package var name: String
    /// What it is, as part of a sentence.
    package var what: String
    /// Whether it is never shown.
    package var isSecret: Bool
    /// Whether `NAME_FILE` is read in its place.
    package var hasFile: Bool

    static func shown(_ name: String, _ what: String) -> ProviderVariable {
        ProviderVariable(name: name, what: what, isSecret: false, hasFile: false)
    }

    /// A key, or an identifier of the account.
    static func secret(_ name: String, _ what: String, hasFile: Bool = false) -> ProviderVariable {
        ProviderVariable(name: name, what: what, isSecret: true, hasFile: hasFile)
    }
}

/// The values of `LUX_ALIMTALK_PROVIDER` other than `log`.
package enum AlimtalkProviders {
    /// One line each.
    package static let all: [any AlimtalkProvider.Type] = [
        NHNProvider.self,
        SolapiProvider.self,
        SENSProvider.self,
        AligoProvider.self,
    ]
}

/// What differs from one attempt to the next: each is signed by itself.
package struct SendingAttempt: Sendable {
    /// The wall clock, in milliseconds since the Unix epoch.
    package var unixMilliseconds: Int64
    /// Random letters and digits, never used before.
    package var salt: String

    package init(unixMilliseconds: Int64, salt: String) {
        self.unixMilliseconds = unixMilliseconds
        self.salt = salt
    }
}
