import Foundation
import JSON
import LUX
import OpenSSL

/// Solapi v4: each request is signed with HMAC-SHA256 over date and salt, and the server fills the template in.
package struct SolapiProvider: AlimtalkProvider {
    /// `solapi`
    package static let name = "solapi"
    /// Its host.
    package static let defaultBaseURL = "https://api.solapi.com"
    /// `LUX_ALIMTALK_SOLAPI_…`
    package static let variables: [ProviderVariable] = [
        .secret("API_KEY"), .secret("API_SECRET", hasFile: true), .shown("PF_ID"), .shown("TEMPLATE_ID"),
    ]

    private let apiKey: String
    private let apiSecret: String
    private let channelID: String
    private let templateID: String
    private let variables: TemplateVariables
    private let smsSender: String?

    /// Reads `LUX_ALIMTALK_SOLAPI_…`.
    package init(_ settings: inout AlimtalkSettings) {
        apiKey = settings.required("API_KEY", "the API key")
        apiSecret = settings.required("API_SECRET", "the secret of the API key")
        channelID = settings.required("PF_ID", "the id of the linked channel, KA01PF…")
        templateID = settings.required("TEMPLATE_ID", "the id of the approved template, KA01TP…")
        variables = settings.variables
        smsSender = settings.smsSender
        if variables.patterns.keys.contains(where: { $0.contains(".") }) {
            settings.fault("LUX_ALIMTALK_VARIABLES", "solapi allows no dot in the name of a variable")
        }
    }

    /// There is no key that would make a repeat safe.
    package var refusesRepeats: Bool { false }
    /// The key and its secret.
    package var secrets: [String] { [apiKey, apiSecret] }

    /// `POST /messages/v4/send-many/detail`
    package func request(for notification: Notification, attempt: SendingAttempt) -> ProviderRequest {
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
                        // The provider's own default is to send a text message instead.
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

    private func sign(_ request: inout ProviderRequest, _ attempt: SendingAttempt) {
        var bytes: [UInt8] = []
        Timestamp(microseconds: attempt.unixMilliseconds * 1_000).appendISO8601(to: &bytes)
        let date = String(decoding: bytes, as: UTF8.self)
        let signature = Self.signature(date: date, salt: attempt.salt, secret: apiSecret)
        request.add(
            "Authorization",
            secret: "HMAC-SHA256 apiKey=\(apiKey), date=\(date), salt=\(attempt.salt), signature=\(signature)")
    }

    /// Date and salt, without anything between them, under the secret as it is.
    static func signature(date: String, salt: String, secret: String) -> String {
        HMACSHA256.hexadecimal(of: date + salt, key: secret)
    }

    /// By the code of the one message, in whichever of the two lists it stands.
    package func outcome(of reply: ProviderReply) -> NotificationOutcome {
        guard let json = reply.json else { return reply.outcome(of: Self.name) }
        guard (200..<300).contains(reply.status) else {
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
            return .refused(reason: "solapi: registered as failed, without a code")
        }
        guard let message = json["messageList"]?[0] ?? json["messageList"]?.values?.first,
            let code = message["statusCode"]?.code,
            count?["registeredFailed"]?.code ?? "0" == "0"
        else { return .unknown(reason: "solapi: HTTP \(reply.status), a partial answer") }
        guard code == "2000" else { return Self.outcome(status: code) }
        guard let id = message["messageId"]?.code else {
            return .unknown(reason: "solapi: accepted without a message id")
        }
        return .accepted(messageID: id)
    }

    private static func outcome(error code: String, _ reply: ProviderReply) -> NotificationOutcome {
        let reason = "solapi: \(code)"
        switch code {
        case "InvalidAPIKey", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "NotEnoughBalance":
            return .misconfigured(reason: reason)
        // Each attempt has a salt of its own, so somebody else has sent this very request already.
        case "DuplicatedSignature": return .unknown(reason: reason)
        case "ValidationError": return .refused(reason: reason)
        default: return reply.outcome(of: reason)
        }
    }

    private static func outcome(status code: String) -> NotificationOutcome {
        let reason = "solapi: code \(code)"
        switch code {
        case "2000", "3000", "4000": return .unknown(reason: reason + " in the list of failures")
        case "1030", "2230", "1041", "3101", "1062", "2062": return .misconfigured(reason: reason)
        default: return .refused(reason: reason)
        }
    }

    /// The list of messages around that time; the reference is compared in the answer. Not by the user's number, which may be
    /// another one since.
    package func lookUp(_ notification: Notification, attempt: SendingAttempt) -> ProviderRequest? {
        func date(_ time: Timestamp) -> String {
            var bytes: [UInt8] = []
            time.appendISO8601(to: &bytes)
            return String(decoding: bytes, as: UTF8.self).replacing(":", with: "%3A")
        }
        let query =
            // Signatures allow 15 minutes between the clocks, and a message takes some more.
            "dateType=CREATED&limit=500&startDate=\(date(notification.time.adding(seconds: -1_000)))"
            + "&endDate=\(date(notification.time.adding(seconds: 1_800)))"
        var request = ProviderRequest("GET", "/messages/v4/list?\(query)")
        sign(&request, attempt)
        return request
    }

    /// A message that is not among all that are listed was not taken; one that is listed without a reference might be it.
    package func outcome(ofLookUp reply: ProviderReply, for notification: Notification) -> NotificationOutcome? {
        guard (200..<300).contains(reply.status), let json = reply.json, let list = json["messageList"],
            let messages = list.values ?? list.items
        else { return nil }
        // There is another page, of which this one says nothing.
        let isAll = messages.count < 500 && [nil, .null].contains(json["nextKey"])
        let references = messages.map { $0["customFields"]?["reference"]?.code }
        guard let index = references.firstIndex(of: notification.reference) else {
            return isAll && !references.contains(nil) ? .refused(reason: "solapi: not found by look-up") : nil
        }
        guard let code = messages[index]["statusCode"]?.code, let id = messages[index]["messageId"]?.code else {
            return nil
        }
        return ["2000", "3000", "4000"].contains(code)
            ? .accepted(messageID: id) : .refused(reason: "solapi: code \(code)")
    }
}
