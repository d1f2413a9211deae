import JSON
import Bytes
import Foundation
import LUX

/// Aligo, Alimtalk API v10: forms with the keys in them, status 200 whatever happens, and the client renders the whole text.
package struct AligoProvider: AlimtalkProvider {
    package static let name = "aligo"
    package static let defaultBaseURL = "https://kakaoapi.aligo.in"
    package static let variables: [ProviderVariable] = [
        .secret("API_KEY", hasFile: true), .secret("USER_ID"), .secret("SENDER_KEY"), .shown("SENDER"),
        .shown("TEMPLATE_CODE"), .shown("TEXT"),
    ]

    private let apiKey: String
    private let userID: String
    private let senderKey: String
    private let sender: String
    private let templateCode: String
    private let text: String
    private let variables: TemplateVariables
    private let smsSender: String?

    package init(_ settings: inout AlimtalkSettings) {
        apiKey = settings.required("API_KEY", "the API key")
        userID = settings.required("USER_ID", "the id of the Aligo account")
        senderKey = settings.required("SENDER_KEY", "the sender key of the linked channel")
        sender = settings.required("SENDER", "the registered sender number").filter { $0 != "-" && $0 != " " }
        templateCode = settings.required("TEMPLATE_CODE", "the code of the approved template")
        text = settings.requiredText("TEXT", "the text of the approved template, with its #{variables}")
        variables = settings.variables
        smsSender = settings.smsSender
        if !sender.utf8.allSatisfy(\.isDigit) {
            settings.fault(settings.variable("SENDER"), "must be the registered sender number, digits and hyphens")
        }
    }

    package var rejectsRepeats: Bool { false }
    package var secrets: [String] { [apiKey, userID, senderKey] }

    fileprivate var credentials: [(name: String, value: String)] {
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

    /// -99 stands for nearly every error, so that the message decides.
    package static let codes = [
        CodeRule(.misconfigured, .address, ["-99", "-101"], messageParts: ["IP", "아이피"]),
        CodeRule(
            .misconfigured, .keys, ["-99"], messageParts: ["인증키", "인증오류", "인증 오류", "apikey", "userid"]),
        CodeRule(.misconfigured, .keys, ["-101"]),
        CodeRule(.misconfigured, .balance, ["-99"], messageParts: ["부족"]),
        CodeRule(.misconfigured, .channel, ["-99"], messageParts: ["발신 프로파일", "발신프로필", "발신 프로필", "senderkey"]),
        CodeRule(.refused, .template, ["-99"], messageParts: ["템플릿", "tpl_code"]),
        CodeRule(.misconfigured, .sender, ["-99"], messageParts: ["발신번호"]),
        CodeRule(.refused, .number, ["`fcnt` above 0"]),
        CodeRule(.misconfigured, .console, ["509"]),
        CodeRule(.refused, .program, ["-99"]),
    ]

    /// Accepted only if `code` and `fcnt` are 0. The provider's message chooses the rule and is never passed on.
    package func outcome(of reply: ProviderReply) -> MessageOutcome {
        guard reply.isSuccess, let json = reply.json, let code = json["code"]?.code else {
            return reply.outcome(of: Self.name)
        }
        guard code == "0" else {
            let reason = "aligo: code \(code)"
            return Self.codes.rule(for: code, message: json["message"]?.text ?? "")?.outcome(reason)
                ?? .refused(reason: reason)
        }
        guard let failed = json["info"]?["fcnt"]?.code else {
            return CodeRule.Kind.unknown.outcome("aligo: HTTP \(reply.status), a partial answer", advice: .lookUp)
        }
        guard failed == "0" else {
            return CodeRule.Kind.refused.outcome("aligo: code 0, fcnt \(failed)", advice: .number)
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

/// Looks a message up in the history of its day, which keeps no reference of ours: the messages with its text around its time, and of
/// each its number.
private struct AligoLookUp: ProviderLookUp {
    private static let pageSize = 50
    private static let mostPages = 200
    private static let mostCandidates = 100
    /// Aligo's results are final after a day.
    private static let final = Int64(86_400)

    let message: SoughtMessage
    let provider: AligoProvider
    let pattern: TextPattern
    private var page = 1
    private var isListed = false
    /// Ids of messages whose number is not compared yet.
    private var candidates: [String] = []
    /// Whether a candidate has no number yet.
    private var isIncomplete = false
    private var matches: [LookUpStep] = []

    init(message: SoughtMessage, provider: AligoProvider, pattern: TextPattern) {
        self.message = message
        self.provider = provider
        self.pattern = pattern
    }

    func request(attempt: SendingAttempt) -> ProviderRequest? {
        guard message.phoneNumber != nil else { return nil }
        let size = ("limit", String(Self.pageSize))
        if isListed, let id = candidates.last {
            return ProviderRequest(
                form: "/akv10/history/detail/", provider.credentials + [("mid", id), ("page", "1"), size])
        }
        func day(_ time: String) -> String { String(time.prefix(10)).replacing("-", with: "") }
        let (start, end) = window
        return ProviderRequest(
            form: "/akv10/history/list/",
            provider.credentials + [
                ("page", String(page)), size, ("startdate", day(start)), ("enddate", day(end)),
            ])
    }

    /// The clocks may differ, and a message has up to 5 minutes.
    private var window: (start: String, end: String) {
        (message.koreanTime(adding: -600), message.koreanTime(adding: 900))
    }

    mutating func read(_ reply: ProviderReply, at unixMilliseconds: Int64) -> LookUpStep {
        guard reply.isSuccess, let json = reply.json, let code = json["code"]?.code else {
            return .open("aligo: HTTP \(reply.status), which leaves the outcome open")
        }
        guard code == "0" else {
            let rule = AligoProvider.codes.rule(for: code, message: json["message"]?.text ?? "")
            return .open("aligo: code \(code)" + (rule.map { "; \($0.advice.rawValue)" } ?? ""))
        }
        guard let list = json["list"]?.items else { return .open("aligo: a partial answer") }
        let isFinal = message.age(at: unixMilliseconds) >= Self.final
        return isListed ? readNumbers(list, isFinal) : readList(list, isFinal)
    }

    /// A page of the history, newest first.
    private mutating func readList(_ list: [JSONValue], _ isFinal: Bool) -> LookUpStep {
        let (start, end) = window
        var isOlder = false
        for found in list {
            if let time = found["reg_date"]?.text, time.utf8.count >= 19 {
                if time < start { isOlder = true }
                if time < start || time > end { continue }
            }
            // A message of ours has one recipient.
            guard found["msg_count"]?.code ?? "1" == "1", found["mbody"]?.text.map(pattern.matches) == true else {
                continue
            }
            guard let id = found["mid"]?.code else { return .open("aligo: a message without an id is listed") }
            if !message.otherIDs.contains(id), !candidates.contains(id) { candidates.append(id) }
        }
        guard candidates.count <= Self.mostCandidates else {
            return .open("aligo: more than \(Self.mostCandidates) messages around that time have this text")
        }
        if list.count >= Self.pageSize, !isOlder {
            guard page < Self.mostPages else {
                return .open("aligo: more than \(Self.mostPages * Self.pageSize) messages on that day")
            }
            page += 1
            return .next
        }
        isListed = true
        return candidates.isEmpty ? absent(isFinal) : .next
    }

    private mutating func readNumbers(_ list: [JSONValue], _ isFinal: Bool) -> LookUpStep {
        guard let id = candidates.popLast() else { return .open("aligo: a partial answer") }
        if list.isEmpty { isIncomplete = true }
        for found in list where found["phone"]?.text.map(message.isNumber) == true {
            matches.append(Self.verdict(found, id))
        }
        if !candidates.isEmpty { return .next }
        if matches.count > 1 { return .open("aligo: several messages around that time have this text and number") }
        if isIncomplete { return absent(isFinal, isNumberMissing: true) }
        return matches.first ?? absent(isFinal)
    }

    private func absent(_ isFinal: Bool, isNumberMissing: Bool = false) -> LookUpStep {
        guard isFinal else { return .waits("aligo: not in the history yet, which is final after a day") }
        return isNumberMissing ? .open("aligo: a message around that time has this text and no number") : .notFound
    }

    /// Aligo does not document which `rslt` means success; `U` is a text that differs from the template.
    private static func verdict(_ found: JSONValue, _ id: String) -> LookUpStep {
        let isReplaced = found["smid"]?.code.map { $0 != "0" } ?? false
        if !isReplaced {
            if found["rslt"]?.code == "U" {
                return .settled(CodeRule.Kind.refused.outcome("aligo: delivery code U", advice: .template))
            }
            if found["status"]?.code == "2" {
                return .settled(CodeRule.Kind.refused.outcome("aligo: status 2", advice: .number))
            }
        }
        return .settled(.accepted(messageID: id))
    }
}
