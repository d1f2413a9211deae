import JSON
import LUX

/// The result in a row of a message's history.
enum AligoResult: Equatable {
    /// Aligo has not passed it on yet.
    case inTransit
    /// The text differs from the template.
    case wrongText
    /// KakaoTalk does not know the format of the number.
    case wrongNumber
    /// A text message was sent instead; whether it arrived is in the list of another host.
    case replaced
    /// Aligo does not document what the other values of `rslt` mean.
    case other(String?)

    init(_ found: JSONValue) {
        if found["smid"]?.code.map({ $0 != "0" }) == true {
            self = .replaced
        } else if found["rslt"]?.code == "U" {
            self = .wrongText
        } else if found["status"]?.code == "2" {
            self = .wrongNumber
        } else if found["msgid"]?.text?.hasPrefix("Q") == true {
            self = .inTransit
        } else {
            self = .other(found["rslt"]?.code)
        }
    }
}

/// Results by the history of each message, which contains its one recipient.
extension AligoProvider: SingleDeliveryReporting {
    /// Seconds after which nothing changes any more.
    static let finalAge = Int64(86_400)

    /// `POST /akv10/history/detail/`
    package func deliveryRequest(of message: OpenDelivery, attempt: SendingAttempt) -> ProviderRequest {
        ProviderRequest(
            form: "/akv10/history/detail/",
            credentials + [("mid", message.messageID), ("page", "1"), ("limit", "50")])
    }

    package func deliveries(
        of message: OpenDelivery, in reply: ProviderReply, at unixMilliseconds: Int64
    ) -> [Delivery]? {
        guard reply.isSuccess, let json = reply.json, json["code"]?.code == "0", let list = json["list"]?.items else {
            return nil
        }
        func delivery(_ result: Delivery.Result?, _ code: String?) -> [Delivery] {
            [Delivery(messageID: message.messageID, result: result, code: code)]
        }
        let isFinal = message.createdAt.adding(seconds: Self.finalAge).microseconds / 1_000 <= unixMilliseconds
        guard list.count == 1 else { return isFinal ? delivery(nil, nil) : [] }
        switch AligoResult(list[0]) {
        case .wrongText: return delivery(.undelivered, "U")
        case .wrongNumber: return delivery(.undelivered, "status 2")
        case .other(let code?) where deliveredResults.contains(code): return delivery(.delivered, code)
        case .other(let code?) where !deliveredResults.isEmpty && isFinal: return delivery(.undelivered, code)
        case .other(let code): return isFinal ? delivery(nil, code) : []
        case .inTransit: return isFinal ? delivery(nil, nil) : []
        case .replaced: return isFinal ? delivery(nil, "smid") : []
        }
    }
}
