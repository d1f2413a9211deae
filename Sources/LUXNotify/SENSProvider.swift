import FoundationEssentials
import JSON
import LUX
import OpenSSL

/// Naver Cloud SENS, Alimtalk v2: each request is signed, and the client renders the whole text.
package struct SENSProvider: AlimtalkProvider {
    package static let name = "sens"
    package static let defaultBaseURL = "https://sens.apigw.ntruss.com"
    package static let variables: [ProviderVariable] = [
        .secret("ACCESS_KEY", "the access key id of the API authentication key"),
        .secret("SECRET_KEY", "the secret key of the API authentication key", hasFile: true),
        .secret("SERVICE_ID", "the service id, ncp:kkobizmsg:kr:…"),
        .shown("PLUS_FRIEND_ID", "the id of the KakaoTalk channel, with its @"),
        .shown("TEMPLATE_CODE", "the code of the approved template"),
        .shown("TEXT", "the text of the approved template, with its #{variables}"),
    ]

    private let accessKey: String
    private let secretKey: String
    private let serviceID: String
    let channelID: String
    let templateCode: String
    private let text: String
    private let variables: TemplateVariables
    let smsSender: String?

    package init(_ settings: inout AlimtalkSettings) {
        accessKey = settings.required("ACCESS_KEY")
        secretKey = settings.required("SECRET_KEY")
        serviceID = settings.requiredPathPart("SERVICE_ID")
        channelID = settings.required("PLUS_FRIEND_ID")
        templateCode = settings.required("TEMPLATE_CODE")
        text = settings.requiredText("TEXT")
        variables = settings.variables
        smsSender = settings.smsSender
    }

    package var rejectsRepeats: Bool { false }
    package var secrets: [String] { [accessKey, secretKey, serviceID] }

    /// `POST /alimtalk/v2/services/{serviceId}/messages`
    package func request(for notification: AlimtalkMessage, attempt: SendingAttempt) -> ProviderRequest {
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
        var request = ProviderRequest("POST", path, body: body.bytes)
        sign(&request, attempt)
        return request
    }

    var path: String { "/alimtalk/v2/services/\(serviceID)/messages" }

    func sign(_ request: inout ProviderRequest, _ attempt: SendingAttempt) {
        let timestamp = String(attempt.unixMilliseconds)
        request.add("x-ncp-apigw-timestamp", timestamp)
        request.add("x-ncp-iam-access-key", secret: accessKey)
        request.add(
            "x-ncp-apigw-signature-v2",
            secret: Self.signature(
                method: request.method, target: request.target, timestamp: timestamp, accessKey: accessKey,
                secretKey: secretKey))
    }

    /// A short message has at most 90 bytes of EUC-KR, in which a Korean letter has two.
    private static func isShort(_ text: String) -> Bool {
        text.unicodeScalars.reduce(0) { $0 + ($1.isASCII ? 1 : 2) } <= 90
    }

    /// Covers method, path with query, time and key; neither host nor body.
    static func signature(
        method: String, target: String, timestamp: String, accessKey: String, secretKey: String
    ) -> String {
        let message = "\(method) \(target)\n\(timestamp)\n\(accessKey)"
        return Data(HMACSHA256.code(of: message, key: secretKey)).base64EncodedString()
    }

    package static let codes = [
        CodeRule(.misconfigured, .keys, ["200", "210"]),
        CodeRule(.misconfigured, .console, ["300"]),
        CodeRule(.later(isSafe: true, isSoon: true), .later, ["400", "410", "420"]),
        // The endpoint behind the gateway was called; what it did is not known.
        CodeRule(.unknown, .lookUp, ["500", "510", "900"]),
        CodeRule(.rejected, .program, ["100", "430"]),
        CodeRule(.rejected, .template, ["a message's code other than A000"]),
    ]

    /// By the code of the reply and of the one message.
    package func outcome(of reply: ProviderReply) -> MessageOutcome {
        guard let json = reply.json else { return reply.outcome(of: Self.name) }
        guard reply.isSuccess else { return Self.outcome(failure: json, reply) }
        let code = json["statusCode"]?.code
        if let code, code != "202" {
            return Int(code).map { ProviderReply(status: $0, body: []).outcome(of: "sens: code \(code)") }
                ?? .rejected(reason: "sens: code \(code)")
        }
        guard code != nil, let message = json["messages"]?[0], let messageCode = message["requestStatusCode"]?.code
        else { return .unknown(reason: "sens: HTTP \(reply.status), a partial response") }
        guard messageCode == "A000" else {
            return CodeRule.Kind.rejected.outcome("sens: code \(messageCode)", advice: .template)
        }
        guard let id = message["messageId"]?.code else {
            return .unknown(reason: "sens: accepted without a message id")
        }
        return .accepted(messageID: id)
    }

    /// Failures have two shapes: the gateway's `error.errorCode` and the service's own `status`.
    private static func outcome(failure json: JSONValue, _ reply: ProviderReply) -> MessageOutcome {
        guard let code = json["error"]?["errorCode"]?.code else { return reply.outcome(of: name) }
        return codes.rule(for: code)?.outcome("sens: HTTP \(reply.status), code \(code)")
            ?? reply.outcome(of: "sens: code \(code)")
    }

    package func lookUp(_ message: SoughtMessage) -> any ProviderLookUp {
        SENSLookUp(message: message, provider: self, pattern: TextPattern(text, variables, for: message))
    }
}
