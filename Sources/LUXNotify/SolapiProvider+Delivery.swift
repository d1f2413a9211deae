import JSON
import LUX

/// The list of messages by the time of their last change.
extension SolapiProvider: DeliveryReporting {
    private static let pageSize = 50

    /// `GET /messages/v4/list?dateType=UPDATED`
    package func deliveryRequest(_ span: DeliverySpan, page: String?, attempt: SendingAttempt) -> ProviderRequest {
        func date(_ time: Timestamp) -> String {
            var bytes: [UInt8] = []
            time.appendISO8601(to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        var query = [
            ("dateType", "UPDATED"), ("startDate", date(span.from)), ("endDate", date(span.until)),
            ("limit", String(Self.pageSize)),
        ]
        if let page { query.append(("startKey", page)) }
        var request = ProviderRequest("GET", "/messages/v4/list?" + ProviderRequest.encoded(query))
        sign(&request, attempt)
        return request
    }

    package func deliveries(in reply: ProviderReply, page: String?) -> DeliveryPage? {
        guard reply.isSuccess, let json = reply.json, let list = json["messageList"],
            let messages = list.values ?? list.items
        else { return nil }
        return DeliveryPage(deliveries: messages.compactMap(Self.delivery), next: json["nextKey"]?.code)
    }

    private static func delivery(_ found: JSONValue) -> Delivery? {
        guard let id = found["messageId"]?.code, let code = found["statusCode"]?.code else { return nil }
        switch code {
        case "4000": return Delivery(messageID: id, result: .delivered, code: code)
        // Accepted, and waiting for the report.
        case "2000", "3000": return nil
        default:
            // A text message goes out instead, whose own report follows.
            let isReplaced = found["replacement"]?.isTrue == true || found["replacement"]?.code == "1"
            return isReplaced ? nil : Delivery(messageID: id, result: .undelivered, code: code)
        }
    }
}
