import JSON
import LUX
import OpenSSL

/// Solapi v4: each request is signed with HMAC-SHA256 over date and salt, and the server fills the template in.
package struct SolapiProvider: AlimtalkProvider {
    package static let name = "solapi"
    package static let defaultBaseURL = "https://api.solapi.com"
    package static let variables: [ProviderVariable] = [
        .secret("API_KEY", "the API key"),
        .secret("API_SECRET", "the secret of the API key", hasFile: true),
        .shown("PF_ID", "the id of the linked channel, KA01PF…"),
        .shown("TEMPLATE_ID", "the id of the approved template, KA01TP…"),
    ]

    private let apiKey: String
    private let apiSecret: String
    private let channelID: String
    private let templateID: String
    private let variables: TemplateVariables
    private let smsSender: String?

    package init(_ settings: inout AlimtalkSettings) {
        apiKey = settings.required("API_KEY")
        apiSecret = settings.required("API_SECRET")
        channelID = settings.required("PF_ID")
        templateID = settings.required("TEMPLATE_ID")
        variables = settings.variables
        smsSender = settings.smsSender
        if variables.patterns.keys.contains(where: { $0.contains(".") }) {
            settings.reject(.templateVariables, "solapi allows no dot in the name of a variable")
        }
    }

    package var rejectsRepeats: Bool { false }
    package var secrets: [String] { [apiKey, apiSecret] }

    /// `POST /messages/v4/send-many/detail`
    package func request(for notification: AlimtalkMessage, attempt: SendingAttempt) -> ProviderRequest {
        var body = JSONWriter()
        body.object { body in
            body.array("messages") { list in
                list.object { message in
                    message.member("to", notification.phoneNumber.domestic)
                    if let smsSender { message.member("from", smsSender) }
                    message.member("type", "ATA")
                    message.member("kakaoOptions") { options in
                        options.member("pfId", channelID)
                        options.member("templateId", templateID)
                        options.strings(
                            "variables", variables.values(for: notification).map { ("#{\($0.name)}", $0.value) })
                        // Solapi sends a text message instead unless this is set.
                        options.member("disableSms", smsSender == nil)
                    }
                    message.strings("customFields", [("reference", notification.reference)])
                }
            }
            body.member("allowDuplicates", false)
            body.member("showMessageList", true)
        }
        var request = ProviderRequest("POST", "/messages/v4/send-many/detail", body: body.bytes)
        sign(&request, attempt)
        return request
    }

    func sign(_ request: inout ProviderRequest, _ attempt: SendingAttempt) {
        var bytes: [UInt8] = []
        Timestamp(microseconds: attempt.unixMilliseconds * 1_000).appendISO8601(to: &bytes)
        let date = String(decoding: bytes, as: UTF8.self)
        let signature = Self.signature(date: date, salt: attempt.salt, secret: apiSecret)
        request.add(
            "Authorization",
            secret: "HMAC-SHA256 apiKey=\(apiKey), date=\(date), salt=\(attempt.salt), signature=\(signature)")
    }

    /// HMAC-SHA256 of date and salt, with nothing between them.
    static func signature(date: String, salt: String, secret: String) -> String {
        HMACSHA256.hexadecimal(of: date + salt, key: secret)
    }

    /// By the code of the one message, in whichever of the two lists it is.
    package func outcome(of reply: ProviderReply) -> MessageOutcome {
        guard let json = reply.json else { return reply.outcome(of: Self.name) }
        guard reply.isSuccess else {
            if let code = json["errorCode"]?.code { return Self.outcome(error: code, reply) }
            return reply.outcome(of: Self.name)
        }
        if let failed = json["failedMessageList"]?[0] {
            guard let code = failed["statusCode"]?.code else {
                return .unknown(reason: "solapi: a failure without a code")
            }
            return Self.outcome(status: code)
        }
        let count = json["groupInfo"]?["count"]
        if let failed = count?["registeredFailed"]?.code, failed != "0", failed == count?["total"]?.code {
            return .rejected(reason: "solapi: registered as failed, without a code")
        }
        guard let message = json["messageList"]?[0] ?? json["messageList"]?.values?.first,
            let code = message["statusCode"]?.code,
            count?["registeredFailed"]?.code ?? "0" == "0"
        else { return .unknown(reason: "solapi: HTTP \(reply.status), a partial response") }
        guard code == "2000" else { return Self.outcome(status: code) }
        guard let id = message["messageId"]?.code else {
            return .unknown(reason: "solapi: accepted without a message id")
        }
        return .accepted(messageID: id)
    }

    package static let codes = [
        CodeRule(.misconfigured, .keys, ["InvalidAPIKey", "SignatureDoesNotMatch", "1020"]),
        CodeRule(.misconfigured, .clock, ["RequestTimeTooSkewed"]),
        CodeRule(.misconfigured, .balance, ["NotEnoughBalance", "1030", "2230"]),
        CodeRule(.misconfigured, .channel, ["1041", "3101", "3106"]),
        CodeRule(.rejected, .template, ["1042", "1043", "1046", "1047", "3103", "3105"]),
        CodeRule(.rejected, .number, ["1060", "1061", "3010", "3104", "3107"]),
        CodeRule(.misconfigured, .sender, ["1062", "2062", "3013", "3059"]),
        // Each attempt has a salt of its own, so this very request has arrived before.
        CodeRule(.unknown, .lookUp, ["DuplicatedSignature"]),
        CodeRule(.later(isSafe: true, isSoon: false), .later, ["1024", "2024", "3012", "3024"]),
        CodeRule(.rejected, .program, ["ValidationError", "1010", "1011", "1032"]),
    ]

    private static func outcome(error code: String, _ reply: ProviderReply) -> MessageOutcome {
        let reason = "solapi: \(code)"
        return codes.rule(for: code)?.outcome(reason) ?? reply.outcome(of: reason)
    }

    private static func outcome(status code: String) -> MessageOutcome {
        let reason = "solapi: code \(code)"
        if SolapiLookUp.taken.contains(code) {
            return CodeRule.Kind.unknown.outcome(reason + " in the list of failures", advice: .lookUp)
        }
        return codes.rule(for: code)?.outcome(reason) ?? .rejected(reason: reason)
    }

    package func lookUp(_ message: SoughtMessage) -> any ProviderLookUp {
        SolapiLookUp(message: message, provider: self)
    }
}

/// Looks a message up in the list of messages around its time, which has the reference but cannot be filtered by it: first among those
/// to the account's number, which are few, then among all, as the number may have changed since.
private struct SolapiLookUp: ProviderLookUp {
    /// Status codes of messages that Solapi accepted.
    static let taken: Set = ["2000", "3000", "4000"]
    /// A message has up to 4 KB in the list, so that a page stays within ``HTTPSClient/replyLimit``.
    private static let pageSize = 50
    private static let mostPages = 100

    let message: SoughtMessage
    let provider: SolapiProvider
    private var isFiltered: Bool
    private var startKey: String?
    private var pages = 0
    /// Whether a message was listed without a reference that could be this one.
    private var isAmbiguous = false

    init(message: SoughtMessage, provider: SolapiProvider) {
        self.message = message
        self.provider = provider
        isFiltered = message.phoneNumber?.isUsableForAlimtalk == true
    }

    func request(attempt: SendingAttempt) -> ProviderRequest? {
        func date(_ seconds: Int64) -> String {
            var bytes: [UInt8] = []
            message.time.adding(seconds: seconds).appendISO8601(to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        // Signatures allow 15 minutes between the clocks, and a message may need some more.
        var query = [
            ("dateType", "CREATED"), ("limit", String(Self.pageSize)), ("startDate", date(-1_000)),
            ("endDate", date(1_800)),
        ]
        if isFiltered, let number = message.phoneNumber { query.append(("to", number.domestic)) }
        if let startKey { query.append(("startKey", startKey)) }
        var request = ProviderRequest("GET", "/messages/v4/list?" + ProviderRequest.encoded(query))
        provider.sign(&request, attempt)
        return request
    }

    mutating func read(_ reply: ProviderReply, at unixMilliseconds: Int64) -> LookUpStep {
        guard reply.isSuccess, let json = reply.json, let list = json["messageList"],
            let messages = list.values ?? list.items
        else { return .open("solapi: HTTP \(reply.status), which leaves the outcome open") }
        for found in messages {
            let reference = found["customFields"]?["reference"]?.code
            if reference == message.reference { return Self.verdict(found) }
            // Without a reference it is another program's, unless it went to this number.
            if reference == nil, found["to"]?.text.map(message.isNumber) ?? true { isAmbiguous = true }
        }
        pages += 1
        if let next = json["nextKey"]?.text, !next.isEmpty {
            guard next != startKey, !messages.isEmpty else { return .open("solapi: a page without messages") }
            guard pages < Self.mostPages else {
                return .open("solapi: more than \(Self.mostPages * Self.pageSize) messages around that time")
            }
            startKey = next
            return .next
        }
        if isFiltered {
            (isFiltered, startKey, pages) = (false, nil, 0)
            return .next
        }
        return isAmbiguous
            ? .open("solapi: a message around that time has no reference and may be this one") : .notFound
    }

    private static func verdict(_ found: JSONValue) -> LookUpStep {
        guard let code = found["statusCode"]?.code, let id = found["messageId"]?.code else {
            return .open("solapi: the message is listed without a status")
        }
        return .settled(
            taken.contains(code) ? .accepted(messageID: id) : .rejected(reason: "solapi: code \(code)"))
    }
}
