import JSON
import LUX

/// The list of messages by the time at which they were complete.
extension SENSProvider: DeliveryReporting {
    /// The longest span of one request.
    private static let longestSpan: Int64 = 24 * 3_600

    /// `GET /alimtalk/v2/services/{serviceId}/messages`
    package func deliveryRequest(_ span: DeliverySpan, page: String?, attempt: SendingAttempt) -> ProviderRequest {
        let from = max(span.from.microseconds, span.until.adding(seconds: 1 - Self.longestSpan).microseconds)
        var query = [
            ("plusFriendId", channelID),
            ("completeStartTime", DeliverySpan.koreanTime(Timestamp(microseconds: from))),
            ("completeEndTime", DeliverySpan.koreanTime(span.until)), ("pageSize", "100"),
        ]
        if let page { query.append(("nextToken", page)) }
        var request = ProviderRequest("GET", path + "?" + ProviderRequest.encoded(query))
        sign(&request, attempt)
        return request
    }

    package func deliveries(in reply: ProviderReply, page: String?) -> DeliveryPage? {
        // The reply to a list without messages (seen with the real service).
        if reply.status == 404, reply.isWhole, reply.body.allSatisfy({ $0 <= 0x20 }) {
            return DeliveryPage(deliveries: [])
        }
        guard reply.isSuccess, let json = reply.json, let messages = json["messages"]?.items else { return nil }
        let next = json["nextToken"]?.text
        return DeliveryPage(
            deliveries: messages.compactMap(delivery), next: messages.isEmpty || next?.isEmpty == true ? nil : next)
    }

    private func delivery(_ found: JSONValue) -> Delivery? {
        guard let id = found["messageId"]?.code else { return nil }
        let code = found["messageStatusCode"]?.code
        switch found["messageStatusName"] {
        case .string("success"): return Delivery(messageID: id, result: .delivered, code: code)
        case .string("fail"):
            guard smsSender != nil else { return Delivery(messageID: id, result: .undelivered, code: code) }
            // The list may not contain the text message that goes out instead.
            switch found["failover"]?["messageStatusName"] {
            case .string("success"): return Delivery(messageID: id, result: .delivered, code: code)
            case .string("fail"): return Delivery(messageID: id, result: .undelivered, code: code)
            default: return nil
            }
        default: return nil
        }
    }
}
