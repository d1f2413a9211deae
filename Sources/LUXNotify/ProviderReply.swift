import JSON

/// One HTTP reply of a provider.
package struct ProviderReply: Sendable {
    /// The HTTP status.
    package var status: Int
    /// The body as far as it was received.
    package var body: [UInt8]
    /// Whether the body is complete: neither cut off nor too large.
    package var isWhole: Bool
    /// The value of `Retry-After`.
    package var retryAfter: Duration?

    package init(status: Int, body: [UInt8], isWhole: Bool = true, retryAfter: Duration? = nil) {
        self.status = status
        self.body = body
        self.isWhole = isWhole
        self.retryAfter = retryAfter
    }

    /// The body as JSON; `nil` when it is none or is incomplete.
    var json: JSONValue? { isWhole ? try? JSONValue(body) : nil }

    /// Whether the status is 2xx.
    var isSuccess: Bool { (200..<300).contains(status) }

    /// The outcome by the status alone, for a reply whose body has no code that is known.
    ///
    /// - Parameter subject: the provider's name, and the unknown code if there is one.
    func outcome(of subject: String) -> MessageOutcome {
        let reason = "\(subject): HTTP \(status)"
        // A 2xx that cannot be read may well be an accepted message.
        guard !isSuccess else {
            return CodeRule.Kind.unknown.outcome(
                reason + (isWhole ? ", unreadable" : ", cut off"), advice: .lookUp)
        }
        guard let rule = HTTPStatusRule.all.first(where: { $0.statuses.contains(status) }) else {
            return CodeRule.Kind.unknown.outcome(reason, advice: .lookUp)
        }
        return rule.kind.outcome(reason + rule.note, advice: rule.advice)
    }
}

/// The meaning of an HTTP status where the body has no known code; the same for all providers.
package struct HTTPStatusRule: Sendable {
    package let statuses: ClosedRange<Int>
    package let kind: CodeRule.Kind
    package let advice: Advice
    /// Continues the reason.
    var note = ""

    /// In order; the first that contains a status decides.
    package static let all = [
        HTTPStatusRule(statuses: 401...401, kind: .misconfigured, advice: .keysOrClock),
        HTTPStatusRule(statuses: 402...402, kind: .misconfigured, advice: .balance),
        HTTPStatusRule(statuses: 403...404, kind: .misconfigured, advice: .console),
        // A redirect is never followed: the keys would go to wherever it leads.
        HTTPStatusRule(statuses: 300...399, kind: .misconfigured, advice: .baseURL, note: ", a redirect"),
        HTTPStatusRule(statuses: 407...407, kind: .misconfigured, advice: .baseURL),
        // 408: the provider did not receive the whole request in its time (RFC 9110 section 15.5.9).
        HTTPStatusRule(statuses: 408...408, kind: .later(isSafe: true, isSoon: true), advice: .later),
        HTTPStatusRule(statuses: 429...429, kind: .later(isSafe: true, isSoon: true), advice: .later),
        HTTPStatusRule(statuses: 400...499, kind: .rejected, advice: .program),
        // A gateway that waited in vain does not know what became of the request.
        HTTPStatusRule(statuses: 502...502, kind: .unknown, advice: .lookUp),
        HTTPStatusRule(statuses: 504...504, kind: .unknown, advice: .lookUp),
        HTTPStatusRule(statuses: 500...599, kind: .later(isSafe: false, isSoon: true), advice: .later),
    ]
}
