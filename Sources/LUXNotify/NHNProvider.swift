import JSON
import LUX

/// NHN Cloud KakaoTalk Bizmessage, Alimtalk v2.3: a static key, and the server fills the template in.
package struct NHNProvider: AlimtalkProvider {
    package static let name = "nhn"
    package static let defaultBaseURL = "https://kakaotalk-bizmessage.api.nhncloudservice.com"
    package static let variables: [ProviderVariable] = [
        .secret("APPKEY", "the appkey of the KakaoTalk Bizmessage service"),
        .secret("SECRET_KEY", "the secret key of the KakaoTalk Bizmessage service", hasFile: true),
        .secret("SENDER_KEY", "the sender key of the sender profile"),
        .shown("TEMPLATE_CODE", "the code of the approved template"),
    ]

    private let appkey: String
    let secretKey: String
    private let senderKey: String
    private let templateCode: String
    private let variables: TemplateVariables
    private let smsSender: String?

    package init(_ settings: inout AlimtalkSettings) {
        appkey = settings.requiredPathPart("APPKEY")
        secretKey = settings.required("SECRET_KEY")
        senderKey = settings.required("SENDER_KEY")
        templateCode = settings.required("TEMPLATE_CODE")
        variables = settings.variables
        smsSender = settings.smsSender
        if variables.patterns.keys.contains(where: { $0.contains("@") }) {
            settings.reject(.templateVariables, "nhn allows no @ in the name of a variable")
        }
    }

    /// By `X-NC-API-IDEMPOTENCY-KEY`, for ten minutes.
    package var rejectsRepeats: Bool { true }
    package var secrets: [String] { [appkey, secretKey, senderKey] }

    /// `POST /alimtalk/v2.3/appkeys/{appkey}/messages`
    package func request(for notification: AlimtalkMessage, attempt: SendingAttempt) -> ProviderRequest {
        var body = JSONWriter()
        body.object { body in
            body.member("senderKey", senderKey)
            body.member("templateCode", templateCode)
            body.array("recipientList") { list in
                list.object { recipient in
                    recipient.member("recipientNo", notification.phoneNumber.domestic)
                    recipient.strings("templateParameter", variables.values(for: notification))
                    recipient.member("recipientGroupingKey", notification.reference)
                    recipient.member("resendParameter") { resend in
                        // Explicit either way, as the console has a default of its own.
                        resend.member("isResend", smsSender != nil)
                        if let smsSender { resend.member("resendSendNo", smsSender) }
                    }
                }
            }
        }
        var request = ProviderRequest("POST", path, body: body.bytes)
        request.add("X-Secret-Key", secret: secretKey)
        request.add("X-NC-API-IDEMPOTENCY-KEY", notification.reference)
        return request
    }

    var path: String { "/alimtalk/v2.3/appkeys/\(appkey)/messages" }

    /// By the codes of the header and of the one recipient; the HTTP status does not matter.
    package func outcome(of reply: ProviderReply) -> MessageOutcome {
        guard let json = reply.json, let header = json["header"], let code = header["resultCode"]?.code else {
            return reply.outcome(of: Self.name)
        }
        let recipientCode = json["message"]?["sendResults"]?[0]?["resultCode"]?.code
        // Every recipient was rejected, and there is one: its own code is the reason (since 2025-04-29).
        guard code == "0" else {
            return Self.outcome(code == Self.allRejected ? recipientCode ?? code : code, reply)
        }
        guard reply.isSuccess, header["isSuccessful"]?.isTrue == true,
            let result = json["message"]?["sendResults"]?[0], let resultCode = result["resultCode"]?.code
        else { return .unknown(reason: "nhn: HTTP \(reply.status), a partial response") }
        if smsSender != nil, Self.resentBySMS.contains(resultCode) {
            return CodeRule.Kind.unknown.outcome(
                "nhn: code \(resultCode), a text message may follow", advice: .lookUp)
        }
        guard resultCode == "0" else { return Self.outcome(resultCode, reply) }
        guard let requestID = json["message"]?["requestId"]?.code, let sequence = result["recipientSeq"]?.code else {
            return .unknown(reason: "nhn: accepted without a message id")
        }
        return .accepted(messageID: "\(requestID)/\(sequence)")
    }

    private static let allRejected = "-1031"

    /// Recipients that Alimtalk does not reach; with a fallback NHN Cloud sends them a text message.
    private static let resentBySMS: Set = ["-3010", "-3011", "-3042", "-3043", "-3046"]

    package static let codes = [
        CodeRule(.misconfigured, .keys, ["-1000", "-1001", "-4004", "-4005"]),
        CodeRule(.misconfigured, .channel, ["-1006", "-1014", "-1024", "-1027", "-2017"]),
        CodeRule(
            .rejected, .template,
            ["-2019", "-3003", "-3004", "-3005", "-3010", "-3011", "-3042", "-3043", "-3046", "-3048", "-3049"]),
        CodeRule(.rejected, .number, ["-4019", "-5000"]),
        CodeRule(.misconfigured, .sender, ["-1002", "-1003"]),
        CodeRule(.misconfigured, .smsSetting, ["-2502"]),
        CodeRule(.misconfigured, .console, ["-1030"]),
        CodeRule(.rejected, .newProfile, ["-1028"]),
        CodeRule(.later(isSafe: true, isSoon: false), .quota, ["-1017"]),
        // Every recipient was rejected; its own code, which normally decides, is missing.
        CodeRule(.rejected, .noCode, ["-1031"]),
        // An earlier attempt with the same key has arrived; only a look-up shows whether it was accepted.
        CodeRule(.unknown, .lookUp, ["-1005"]),
        CodeRule(.later(isSafe: false, isSoon: true), .later, ["-7000", "-9999"]),
        CodeRule(
            .rejected, .program,
            ["4", "-2000", "-2001", "-2002", "-2003", "-2004", "-2005", "-4000", "-9996", "-9997", "-9998"]),
    ]

    private static func outcome(_ code: String, _ reply: ProviderReply) -> MessageOutcome {
        let reason = "nhn: code \(code)"
        if let rule = codes.rule(for: code) { return rule.outcome(reason) }
        return reply.isSuccess ? .rejected(reason: reason) : reply.outcome(of: reason)
    }

    package func lookUp(_ message: SoughtMessage) -> any ProviderLookUp {
        NHNLookUp(message: message, path: path, secretKey: secretKey)
    }
}

/// Looks a message up by its `recipientGroupingKey`; the account's number is not needed.
private struct NHNLookUp: ProviderLookUp {
    let message: SoughtMessage
    let path: String
    let secretKey: String

    func request(attempt: SendingAttempt) -> ProviderRequest? {
        let range = [("startRequestDate", Int64(-3_600)), ("endRequestDate", 3_600)].map { name, seconds in
            "\(name)=\(message.koreanTime(adding: seconds).prefix(16).replacing(" ", with: "%20"))"
        }
        let query = range.joined(separator: "&") + "&recipientGroupingKey=\(message.reference)"
        var request = ProviderRequest("GET", "\(path)?\(query)")
        request.add("Content-Type", "application/json; charset=utf-8")
        request.add("X-Secret-Key", secret: secretKey)
        return request
    }

    func read(_ reply: ProviderReply, at unixMilliseconds: Int64) -> LookUpStep {
        let open = LookUpStep.open("nhn: HTTP \(reply.status), which leaves the outcome open")
        guard let json = reply.json, json["header"]?["isSuccessful"]?.isTrue == true,
            let messages = json["messageSearchResultResponse"]?["messages"]?.items
        else { return open }
        guard let found = messages.first(where: { $0["recipientGroupingKey"]?.string == message.reference }) else {
            // Rejected recipients are not stored.
            return messages.isEmpty ? .notFound : open
        }
        let code = found["resultCode"]?.code
        let rejection = LookUpStep.settled(.rejected(reason: "nhn: delivery code \(code ?? "none")"))
        switch found["messageStatus"] {
        case .string("CANCEL"): return rejection
        // 3005: sent, but KakaoTalk has not confirmed it.
        case .string("FAILED") where code != "3005":
            switch found["resendStatus"] {
            // There was no text message instead, or it failed too.
            case nil, .null, .string("RSC01"), .string("RSC05"): return rejection
            // The text message has arrived.
            case .string("RSC04"): break
            default: return .waits("nhn: a text message is in flight")
            }
        default: break
        }
        guard let requestID = found["requestId"]?.code, let sequence = found["recipientSeq"]?.code else { return open }
        return .settled(.accepted(messageID: "\(requestID)/\(sequence)"))
    }
}
