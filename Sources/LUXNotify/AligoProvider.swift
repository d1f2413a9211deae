import Bytes
import JSON
import LUX

/// Aligo, Alimtalk API v10: requests are forms that contain the keys, each response has status 200, and the client renders the whole text.
package struct AligoProvider: AlimtalkProvider {
    package static let name = "aligo"
    package static let defaultBaseURL = "https://kakaoapi.aligo.in"
    package static let variables: [ProviderVariable] = [
        .secret("API_KEY", "the API key", hasFile: true),
        .secret("USER_ID", "the id of the Aligo account"),
        .secret("SENDER_KEY", "the sender key of the linked channel"),
        .shown("SENDER", "the registered sender number"),
        .shown("TEMPLATE_CODE", "the code of the approved template"),
        .shown("TEXT", "the text of the approved template, with its #{variables}"),
        .shown("DELIVERED", "the values of `rslt`, separated by commas, that mean delivered"),
    ]

    private let apiKey: String
    private let userID: String
    private let senderKey: String
    private let sender: String
    private let templateCode: String
    private let text: String
    private let variables: TemplateVariables
    private let smsSender: String?
    /// Values of `rslt` that mean delivered; empty where the operator has not found them out, as Aligo does not document them.
    let deliveredResults: Set<String>

    package init(_ settings: inout AlimtalkSettings) {
        apiKey = settings.required("API_KEY")
        userID = settings.required("USER_ID")
        senderKey = settings.required("SENDER_KEY")
        sender = settings.required("SENDER").filter { $0 != "-" && $0 != " " }
        templateCode = settings.required("TEMPLATE_CODE")
        text = settings.requiredText("TEXT")
        variables = settings.variables
        smsSender = settings.smsSender
        deliveredResults = Set(
            (settings.optional("DELIVERED") ?? "").split(separator: ",").map {
                $0.trimmingWhitespace()
            })
        if !sender.utf8.allSatisfy(\.isDigit) {
            settings.reject(.own("SENDER"), "must be the registered sender number, digits and hyphens")
        }
    }

    package var rejectsRepeats: Bool { false }
    package var secrets: [String] { [apiKey, userID, senderKey] }

    var credentials: [(name: String, value: String)] {
        [("apikey", apiKey), ("userid", userID), ("senderkey", senderKey)]
    }

    /// `POST /akv10/alimtalk/send/`
    package func request(for notification: AlimtalkMessage, attempt: SendingAttempt) -> ProviderRequest {
        let content = variables.rendered(text, for: notification)
        let title = "LUX"
        var fields = credentials
        fields += [
            ("tpl_code", templateCode), ("sender", smsSender ?? sender),
            ("receiver_1", notification.phoneNumber.domestic), ("subject_1", title), ("message_1", content),
            // Explicit either way, as the default is not documented.
            ("failover", smsSender == nil ? "N" : "Y"),
        ]
        if smsSender != nil { fields += [("fsubject_1", title), ("fmessage_1", content)] }
        return ProviderRequest(form: "/akv10/alimtalk/send/", fields)
    }

    /// -99 is the code of nearly every error, so that the message decides.
    package static let codes = [
        CodeRule(.misconfigured, .address, ["-99", "-101"], messageParts: ["IP", "아이피"]),
        CodeRule(
            .misconfigured, .keys, ["-99"], messageParts: ["인증키", "인증오류", "인증 오류", "apikey", "userid"]),
        CodeRule(.misconfigured, .keys, ["-101"]),
        CodeRule(.misconfigured, .balance, ["-99"], messageParts: ["부족"]),
        CodeRule(.misconfigured, .channel, ["-99"], messageParts: ["발신 프로파일", "발신프로필", "발신 프로필", "senderkey"]),
        CodeRule(.rejected, .template, ["-99"], messageParts: ["템플릿", "tpl_code"]),
        CodeRule(.misconfigured, .sender, ["-99"], messageParts: ["발신번호"]),
        CodeRule(.rejected, .number, ["`fcnt` above 0"]),
        CodeRule(.misconfigured, .console, ["509"]),
        CodeRule(.rejected, .program, ["-99"]),
    ]

    /// Accepted only if `code` and `fcnt` are 0. The provider's message chooses the rule and is never passed on.
    package func outcome(of reply: ProviderReply) -> MessageOutcome {
        guard reply.isSuccess, let json = reply.json, let code = json["code"]?.code else {
            return reply.outcome(of: Self.name)
        }
        guard code == "0" else {
            let reason = "aligo: code \(code)"
            return Self.codes.rule(for: code, message: json["message"]?.text ?? "")?.outcome(reason)
                ?? .rejected(reason: reason)
        }
        guard let failed = json["info"]?["fcnt"]?.code else {
            return CodeRule.Kind.unknown.outcome("aligo: HTTP \(reply.status), a partial response", advice: .lookUp)
        }
        guard failed == "0" else {
            return CodeRule.Kind.rejected.outcome("aligo: code 0, fcnt \(failed)", advice: .number)
        }
        guard let id = json["info"]?["mid"]?.code else {
            return CodeRule.Kind.unknown.outcome("aligo: accepted without a message id", advice: .lookUp)
        }
        return .accepted(messageID: id)
    }

    package func lookUp(_ message: SoughtMessage) -> any ProviderLookUp {
        AligoLookUp(message: message, provider: self, pattern: TextPattern(text, variables, for: message))
    }
}
