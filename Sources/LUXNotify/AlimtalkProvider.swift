/// A provider of Alimtalk: turns a message into one HTTP request and one HTTP reply into an outcome.
///
/// Pure: time and randomness come with the ``SendingAttempt``. Deadline, repeats, limits and HTTPS stand once around all of them, in
/// ``ProviderNotifier``.
package protocol AlimtalkProvider: Sendable {
    /// Its name in `LUX_ALIMTALK_PROVIDER`, in the names of its variables and in the audit rows.
    static var name: String { get }
    /// Where its API is, without a path.
    static var defaultBaseURL: String { get }

    /// The variables that it reads, in the order in which people are told of them.
    static var variables: [ProviderVariable] { get }

    /// Reads what it needs; what is wrong or missing is gathered there.
    init(_ settings: inout AlimtalkSettings)

    /// Whether the provider refuses a second message of one ``Notification/reference``, so that an attempt of which nothing is
    /// known may be repeated.
    var refusesRepeats: Bool { get }
    /// What must not be printed: keys, and the account's identifiers in paths.
    var secrets: [String] { get }

    /// The request that sends a message, signed for this attempt.
    func request(for notification: Notification, attempt: SendingAttempt) -> ProviderRequest
    /// What a reply says of the message.
    func outcome(of reply: ProviderReply) -> NotificationOutcome

    /// The request that looks a message up, where the provider can find one by what we know of it.
    func lookUp(_ notification: Notification, attempt: SendingAttempt) -> ProviderRequest?
    /// What a look-up says of the message; `nil` when it says nothing.
    func outcome(ofLookUp reply: ProviderReply, for notification: Notification) -> NotificationOutcome?
}

/// A variable of a provider's own.
package struct ProviderVariable: Sendable {
    /// Its name behind `LUX_ALIMTALK_` and the provider's name.
    package var name: String
    /// Whether it is never shown.
    package var isSecret: Bool
    /// Whether a file may hold it in its place.
    package var hasFile: Bool

    /// A variable that is shown as it is.
    static func shown(_ name: String) -> ProviderVariable {
        ProviderVariable(name: name, isSecret: false, hasFile: false)
    }

    /// A key, or what tells the account.
    static func secret(_ name: String, hasFile: Bool = false) -> ProviderVariable {
        ProviderVariable(name: name, isSecret: true, hasFile: hasFile)
    }
}

/// All providers: what `LUX_ALIMTALK_PROVIDER` may name beside `log`.
package enum AlimtalkProviders {
    /// One line each.
    package static let all: [any AlimtalkProvider.Type] = [
        NHNProvider.self,
        SolapiProvider.self,
        SENSProvider.self,
    ]
}

/// What differs from one attempt to the next: signatures are made anew for each.
package struct SendingAttempt: Sendable {
    /// The wall clock, in milliseconds since the Unix epoch.
    package var unixMilliseconds: Int64
    /// Random letters and digits, never used before.
    package var salt: String

    /// An attempt at a time.
    package init(unixMilliseconds: Int64, salt: String) {
        self.unixMilliseconds = unixMilliseconds
        self.salt = salt
    }
}

/// One HTTP request to a provider.
package struct ProviderRequest: Sendable, Equatable {
    /// `POST` or `GET`.
    package var method: String
    /// Path and query exactly as they are sent, since signatures cover them.
    package var target: String
    /// Fields in order.
    package var headers: [Field]
    /// The body; empty for none.
    package var body: [UInt8]

    /// One header field.
    package struct Field: Sendable, Equatable {
        /// Its name.
        package var name: String
        /// Its value.
        package var value: String
        /// Whether the value is a key or made with one.
        package var isSecret: Bool
    }

    init(_ method: String, _ target: String, body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.body = body
        headers =
            body.isEmpty ? [] : [Field(name: "Content-Type", value: "application/json; charset=utf-8", isSecret: false)]
    }

    mutating func add(_ name: String, _ value: String) {
        headers.append(Field(name: name, value: value, isSecret: false))
    }

    mutating func add(_ name: String, secret value: String) {
        headers.append(Field(name: name, value: value, isSecret: true))
    }

    /// The request for people's eyes: everything but the keys as it is sent.
    package func printed(baseURL: String, hiding secrets: [String]) -> String {
        let fields = headers.map { "\($0.name): \($0.isSecret ? "***" : $0.value)" }
        let text = (["\(method) \(baseURL)\(target)"] + fields + ["", String(decoding: body, as: UTF8.self)])
            .joined(separator: "\n")
        return secrets.filter { !$0.isEmpty }.reduce(text) { $0.replacing($1, with: "***") }
    }
}

/// One HTTP reply of a provider.
package struct ProviderReply: Sendable {
    /// The HTTP status.
    package var status: Int
    /// The body as far as it came.
    package var body: [UInt8]
    /// Whether the body is all there: neither cut off nor too large.
    package var isWhole: Bool
    /// What `Retry-After` asks for.
    package var retryAfter: Duration?

    /// A reply.
    package init(status: Int, body: [UInt8], isWhole: Bool = true, retryAfter: Duration? = nil) {
        self.status = status
        self.body = body
        self.isWhole = isWhole
        self.retryAfter = retryAfter
    }

    /// The body as JSON; `nil` when it is none or is not all there.
    var json: ReplyValue? { isWhole ? ReplyValue(body) : nil }

    /// What the status alone says, for a reply whose body says nothing that is known.
    func outcome(of provider: String) -> NotificationOutcome {
        let reason = "\(provider): HTTP \(status)"
        switch status {
        // A 2xx that cannot be read may well be a message that was taken.
        case 200..<300: return .unknown(reason: reason + (isWhole ? ", unreadable" : ", cut off"))
        case 401, 402, 403, 404, 407: return .misconfigured(reason: reason)
        // A redirect is never followed: it would carry the keys to wherever it says.
        case 300..<400: return .misconfigured(reason: reason + ", a redirect")
        // 408: the request had not come whole in the provider's time (RFC 9110 section 15.5.9).
        case 408, 429: return .tryLater(reason: reason, isSafe: true)
        case 400..<500: return .refused(reason: reason)
        // A gateway that waited in vain does not know what became of the request.
        case 502, 504: return .unknown(reason: reason)
        case 500...: return .tryLater(reason: reason, isSafe: false)
        default: return .unknown(reason: reason)
        }
    }
}
