import Foundation
import JSON
import LUX

/// NHN Cloud KakaoTalk Bizmessage, Alimtalk v2.3: a static key, and the server fills the template in.
package struct NHNProvider: AlimtalkProvider {
    /// `nhn`
    package static let name = "nhn"
    /// Its host since February 2026.
    package static let defaultBaseURL = "https://kakaotalk-bizmessage.api.nhncloudservice.com"
    /// `LUX_ALIMTALK_NHN_…`
    package static let variables: [ProviderVariable] = [
        .secret("APPKEY"), .secret("SECRET_KEY", hasFile: true), .secret("SENDER_KEY"), .shown("TEMPLATE_CODE"),
    ]

    private let appkey: String
    private let secretKey: String
    private let senderKey: String
    private let templateCode: String
    private let variables: TemplateVariables
    private let smsSender: String?

    /// Reads `LUX_ALIMTALK_NHN_…`.
    package init(_ settings: inout AlimtalkSettings) {
        appkey = settings.requiredPathPart("APPKEY", "the appkey of the KakaoTalk Bizmessage service")
        secretKey = settings.required("SECRET_KEY", "the secret key of the KakaoTalk Bizmessage service")
        senderKey = settings.required("SENDER_KEY", "the sender key of the sender profile")
        templateCode = settings.required("TEMPLATE_CODE", "the code of the approved template")
        variables = settings.variables
        smsSender = settings.smsSender
        if variables.patterns.keys.contains(where: { $0.contains("@") }) {
            settings.fault("LUX_ALIMTALK_VARIABLES", "nhn allows no @ in the name of a variable")
        }
    }

    /// `X-NC-API-IDEMPOTENCY-KEY`: a second request of the same key is refused for ten minutes.
    package var refusesRepeats: Bool { true }
    /// The keys.
    package var secrets: [String] { [appkey, secretKey, senderKey] }

    /// `POST /alimtalk/v2.3/appkeys/{appkey}/messages`
    package func request(for notification: Notification, attempt: SendingAttempt) -> ProviderRequest {
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
                        // Both ways in words: what the console says by default is not asked.
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

    private var path: String { "/alimtalk/v2.3/appkeys/\(appkey)/messages" }

    /// By the codes of the header and of the one recipient, whatever the HTTP status.
    package func outcome(of reply: ProviderReply) -> NotificationOutcome {
        guard let json = reply.json, let header = json["header"], let code = header["resultCode"]?.code else {
            return reply.outcome(of: Self.name)
        }
        let recipientCode = json["message"]?["sendResults"]?[0]?["resultCode"]?.code
        // Every recipient was rejected, and there is one: its own code says why (since 2025-04-29).
        guard code == "0" else {
            return Self.outcome(code == Self.allRejected ? recipientCode ?? code : code, reply)
        }
        guard (200..<300).contains(reply.status), header["isSuccessful"]?.isTrue == true,
            let result = json["message"]?["sendResults"]?[0], let resultCode = result["resultCode"]?.code
        else { return .unknown(reason: "nhn: HTTP \(reply.status), a partial answer") }
        if smsSender != nil, Self.resentBySMS.contains(resultCode) {
            return .unknown(reason: "nhn: code \(resultCode), a text message may follow")
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

    private static func outcome(_ code: String, _ reply: ProviderReply) -> NotificationOutcome {
        let reason = "nhn: code \(code)"
        switch code {
        case "-1000", "-1001", "-4004", "-4005", "-1002", "-1003", "-1006", "-1014", "-1027", "-2017", "-1030":
            return .misconfigured(reason: reason)
        case "4", "-2000", "-2001", "-2002", "-2003", "-2004", "-2005", "-4000", "-9997", "-1028", "-3003", "-3004",
            "-3005", "-3049", "-3010", "-3011", "-4019", "-5000":
            return .refused(reason: reason)
        // The quota of the day.
        case "-1017": return .tryLater(reason: reason, isSafe: true, isSoon: false)
        // An earlier attempt with the same key has arrived; whether it was taken, only a look-up tells.
        case "-1005": return .unknown(reason: reason + ", an earlier attempt has arrived")
        case "-7000", "-9999": return .tryLater(reason: reason, isSafe: false)
        default:
            return (200..<300).contains(reply.status) ? .refused(reason: reason) : reply.outcome(of: reason)
        }
    }

    /// Two hours around the message, by `recipientGroupingKey`.
    package func lookUp(_ notification: Notification, attempt: SendingAttempt) -> ProviderRequest? {
        guard let korea = TimeZone(identifier: "Asia/Seoul") else { return nil }
        let (start, end) = (notification.time.adding(seconds: -3_600), notification.time.adding(seconds: 3_600))
        let range = [("startRequestDate", start), ("endRequestDate", end)].map { name, time in
            "\(name)=\(minutes(of: time, in: korea).replacing(" ", with: "%20"))"
        }
        let query = range.joined(separator: "&") + "&recipientGroupingKey=\(notification.reference)"
        var request = ProviderRequest("GET", "\(path)?\(query)")
        request.add("Content-Type", "application/json; charset=utf-8")
        request.add("X-Secret-Key", secret: secretKey)
        return request
    }

    /// A message that is not listed was not taken: refused ones are not stored.
    package func outcome(ofLookUp reply: ProviderReply, for notification: Notification) -> NotificationOutcome? {
        guard let json = reply.json, json["header"]?["isSuccessful"]?.isTrue == true,
            let messages = json["messageSearchResultResponse"]?["messages"]?.items
        else { return nil }
        let found = messages.first { $0["recipientGroupingKey"] == .string(notification.reference) }
        guard let found else {
            return messages.isEmpty ? .refused(reason: "nhn: not found by look-up") : nil
        }
        let code = found["resultCode"]?.code
        let refusal = NotificationOutcome.refused(reason: "nhn: delivery code \(code ?? "none")")
        switch found["messageStatus"] {
        case .string("CANCEL"): return refusal
        // 3005: sent, but KakaoTalk has not confirmed it.
        case .string("FAILED") where code != "3005":
            switch found["resendStatus"] {
            // There was no text message instead of it, or it did not arrive either.
            case nil, .null, .string("RSC01"), .string("RSC05"): return refusal
            // It has arrived.
            case .string("RSC04"): break
            // It is under way.
            default: return nil
            }
        default: break
        }
        guard let requestID = found["requestId"]?.code, let sequence = found["recipientSeq"]?.code else { return nil }
        return .accepted(messageID: "\(requestID)/\(sequence)")
    }
}
