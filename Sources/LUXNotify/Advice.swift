/// What an operator can do about an error of a provider. Its text ends the reason of an outcome, in logs and in audit rows, and is
/// in the tables of `docs/alimtalk.md`.
package enum Advice: String, CaseIterable, Sendable {
    case keys = "check the keys and identifiers of the account"
    case keysOrClock = "check the keys, and that the server's clock is right"
    case clock = "set the server's clock"
    case balance = "top up the account's balance"
    case quota = "the quota of the day is used up: wait, or have the provider raise it"
    case channel = "check the channel: its key or id, and that it is linked and neither blocked nor dormant"
    case template = "compare the template's code, text and variable names with the approved ones"
    case number = "the number does not receive Alimtalk"
    case sender = "register the sender number with the provider"
    case smsSetting =
        "set up text messages (SMS appkey, sender number) for the profile in the console, or unset LUX_ALIMTALK_SMS_FALLBACK"
    case newProfile =
        "new profile: variables may add 14 characters, and sends a day are limited; ask the provider, or wait a day after 10 billed sends"
    case address = "register the server's public address with the provider"
    case console = "check in the provider's console that the service exists and is active, and what the key may do"
    case noCode = "rejected without the recipient's code: look the request up in the provider's console"
    case baseURL = "check LUX_ALIMTALK_BASE_URL"
    case lookUp = "not sent again; lux-server alimtalk reconcile settles it"
    case later = "the provider is busy or has an outage: wait"
    case program = "the provider does not accept the request as it is: report it"

    // Connections.
    case untrusted =
        "certificate not trusted: install ca-certificates, or name the root in SSL_CERT_FILE; does a proxy open TLS?"
    case unknownHost = "unknown host: check LUX_ALIMTALK_BASE_URL and the name servers in /etc/resolv.conf"
    case connectionRefused = "check host and port of LUX_ALIMTALK_BASE_URL and the firewall for outgoing connections"
    case unreachable = "no connection in time: check the firewall for outgoing connections and the route"
    case noTLS = "check that scheme and port of LUX_ALIMTALK_BASE_URL belong together, and that TLS 1.2 is possible"
}

/// A line of a provider's table of codes: what they mean for a message, and what an operator can do.
package struct CodeRule: Sendable {
    /// What a code means for a message.
    package enum Kind: Sendable, Equatable {
        case rejected, misconfigured, unknown
        case later(isSafe: Bool, isSoon: Bool)

        /// The outcome, with the advice after its reason.
        func outcome(_ reason: String, advice: Advice?) -> MessageOutcome {
            let reason = advice.map { "\(reason); \($0.rawValue)" } ?? reason
            return switch self {
            case .rejected: .rejected(reason: reason)
            case .misconfigured: .misconfigured(reason: reason)
            case .unknown: .unknown(reason: reason)
            case .later(let isSafe, let isSoon): .tryLater(reason: reason, isSafe: isSafe, isSoon: isSoon)
            }
        }

        /// Its word in the documents.
        package var word: String {
            switch self {
            case .rejected: "rejected"
            case .misconfigured: "misconfigured"
            case .unknown: "unknown"
            case .later(isSafe: true, _): "not accepted"
            case .later(isSafe: false, _): "unknown, try later"
            }
        }
    }

    package let kind: Kind
    package let advice: Advice
    /// Codes as the provider writes them.
    package let codes: [String]
    /// Parts of the provider's message that decide where one code means many things; empty where codes suffice.
    package let messageParts: [String]

    init(_ kind: Kind, _ advice: Advice, _ codes: [String], messageParts: [String] = []) {
        self.kind = kind
        self.advice = advice
        self.codes = codes
        self.messageParts = messageParts
    }

    func outcome(_ reason: String) -> MessageOutcome { kind.outcome(reason, advice: advice) }
}

extension [CodeRule] {
    /// The first rule for a code whose message parts, if it has any, include one of the message.
    func rule(for code: String, message: String = "") -> CodeRule? {
        first { rule in
            rule.codes.contains(code)
                && (rule.messageParts.isEmpty || rule.messageParts.contains { message.contains($0) })
        }
    }
}
