import Foundation
import JSON
import LUX
import OpenSSL

/// Naver Cloud SENS, Alimtalk v2: each request is signed, and the client renders the whole text.
package struct SENSProvider: AlimtalkProvider {
    /// `sens`
    package static let name = "sens"
    /// Its host in the public cloud.
    package static let defaultBaseURL = "https://sens.apigw.ntruss.com"
    /// `LUX_ALIMTALK_SENS_…`
    package static let variables: [ProviderVariable] = [
        .secret("ACCESS_KEY"), .secret("SECRET_KEY", hasFile: true), .secret("SERVICE_ID"), .shown("PLUS_FRIEND_ID"),
        .shown("TEMPLATE_CODE"), .shown("TEXT"),
    ]

    private let accessKey: String
    private let secretKey: String
    private let serviceID: String
    private let channelID: String
    private let templateCode: String
    private let text: String
    private let variables: TemplateVariables
    private let smsSender: String?

    /// Reads `LUX_ALIMTALK_SENS_…`.
    package init(_ settings: inout AlimtalkSettings) {
        accessKey = settings.required("ACCESS_KEY", "the access key id of the API authentication key")
        secretKey = settings.required("SECRET_KEY", "the secret key of the API authentication key")
        serviceID = settings.requiredPathPart("SERVICE_ID", "the service id, ncp:kkobizmsg:kr:…")
        channelID = settings.required("PLUS_FRIEND_ID", "the id of the KakaoTalk channel, with its @")
        templateCode = settings.required("TEMPLATE_CODE", "the code of the approved template")
        text = settings.requiredText("TEXT", "the text of the approved template, with its #{variables}")
        variables = settings.variables
        smsSender = settings.smsSender
        for name in TemplateVariables.names(in: text) where variables.patterns[name] == nil {
            settings.fault("LUX_ALIMTALK_VARIABLES", "has no \(name), which \(settings.variable("TEXT")) uses")
        }
    }

    /// There is no key that would make a repeat safe.
    package var refusesRepeats: Bool { false }
    /// The keys, and the service in the path.
    package var secrets: [String] { [accessKey, secretKey, serviceID] }

    /// `POST /alimtalk/v2/services/{serviceId}/messages`
    package func request(for notification: Notification, attempt: SendingAttempt) -> ProviderRequest {
        let content = variables.rendered(text, for: notification)
        var body = JSONWriter()
        body.object { body in
            body.member("plusFriendId", channelID)
            body.member("templateCode", templateCode)
            body.array("messages") { list in
                list.object { message in
                    message.member("countryCode", "82")
                    message.member("to", notification.phoneNumber.domestic)
                    message.member("content", content)
                    message.member("useSmsFailover", smsSender != nil)
                    if let smsSender {
                        message.member("failoverConfig") { failover in
                            failover.member("type", Self.isShort(content) ? "SMS" : "LMS")
                            failover.member("from", smsSender)
                            failover.member("content", content)
                        }
                    }
                }
            }
        }
        var request = ProviderRequest("POST", "/alimtalk/v2/services/\(serviceID)/messages", body: body.bytes)
        let timestamp = String(attempt.unixMilliseconds)
        request.add("x-ncp-apigw-timestamp", timestamp)
        request.add("x-ncp-iam-access-key", secret: accessKey)
        request.add(
            "x-ncp-apigw-signature-v2",
            secret: Self.signature(
                method: request.method, target: request.target, timestamp: timestamp, accessKey: accessKey,
                secretKey: secretKey))
        return request
    }

    /// A short message holds 90 bytes of EUC-KR, in which Korean letters have two.
    private static func isShort(_ text: String) -> Bool {
        text.unicodeScalars.reduce(0) { $0 + ($1.isASCII ? 1 : 2) } <= 90
    }

    /// Method, path with query, time and key; neither host nor body.
    static func signature(
        method: String, target: String, timestamp: String, accessKey: String, secretKey: String
    ) -> String {
        let message = "\(method) \(target)\n\(timestamp)\n\(accessKey)"
        return Data(HMACSHA256.code(of: message, key: secretKey)).base64EncodedString()
    }

    /// By the code of the reply and of the one message.
    package func outcome(of reply: ProviderReply) -> NotificationOutcome {
        guard let json = reply.json else { return reply.outcome(of: Self.name) }
        guard (200..<300).contains(reply.status) else { return Self.outcome(failure: json, reply) }
        let code = json["statusCode"]?.code
        if let code, code != "202" {
            return Int(code).map { ProviderReply(status: $0, body: []).outcome(of: "sens: code \(code)") }
                ?? .refused(reason: "sens: code \(code)")
        }
        guard code != nil, let message = json["messages"]?[0], let messageCode = message["requestStatusCode"]?.code
        else { return .unknown(reason: "sens: HTTP \(reply.status), a partial answer") }
        guard messageCode == "A000" else { return .refused(reason: "sens: code \(messageCode)") }
        guard let id = message["messageId"]?.code else {
            return .unknown(reason: "sens: accepted without a message id")
        }
        return .accepted(messageID: id)
    }

    /// Failures have two shapes: the gateway's `error.errorCode` and the service's own `status`.
    private static func outcome(failure json: ReplyValue, _ reply: ProviderReply) -> NotificationOutcome {
        guard let code = json["error"]?["errorCode"]?.code else { return reply.outcome(of: name) }
        let reason = "sens: HTTP \(reply.status), code \(code)"
        switch code {
        case "200", "210", "300": return .misconfigured(reason: reason)
        case "400", "410", "420": return .tryLater(reason: reason, isSafe: true)
        // The endpoint behind the gateway was asked; what it did is not known.
        case "500", "510", "900": return .unknown(reason: reason)
        case "100", "430": return .refused(reason: reason)
        default: return reply.outcome(of: "sens: code \(code)")
        }
    }

    /// It lists by its own ids only, which a message of unknown outcome does not have.
    package func lookUp(_ notification: Notification, attempt: SendingAttempt) -> ProviderRequest? { nil }

    /// Never asked.
    package func outcome(ofLookUp reply: ProviderReply, for notification: Notification) -> NotificationOutcome? { nil }
}
