import JSON
import LUX

/// One call for the results of all messages.
extension NHNProvider: DeliveryReporting {
    private static let pageSize = 100

    /// `GET /alimtalk/v2.3/appkeys/{appkey}/message-results`
    package func deliveryRequest(_ span: DeliverySpan, page: String?, attempt: SendingAttempt) -> ProviderRequest {
        // Whole minutes, so that the last one is included.
        let range = [("startUpdateDate", span.from), ("endUpdateDate", span.until.adding(seconds: 60))].map {
            name, time in
            "\(name)=\(DeliverySpan.koreanTime(time).prefix(16).replacing(" ", with: "%20"))"
        }
        let query = range.joined(separator: "&") + "&pageNum=\(page ?? "1")&pageSize=\(Self.pageSize)"
        var request = ProviderRequest("GET", "\(path.dropLast("messages".count))message-results?\(query)")
        request.add("Content-Type", "application/json; charset=utf-8")
        request.add("X-Secret-Key", secret: secretKey)
        return request
    }

    package func deliveries(in reply: ProviderReply, page: String?) -> DeliveryPage? {
        guard let json = reply.json, json["header"]?["isSuccessful"]?.isTrue == true,
            let messages = (json["messageSearchResultResponse"]?["messages"] ?? json["messages"])?.items
        else { return nil }
        let next = messages.count == Self.pageSize ? String((page.flatMap { Int($0) } ?? 1) + 1) : nil
        return DeliveryPage(deliveries: messages.compactMap(Self.delivery), next: next)
    }

    private static func delivery(_ found: JSONValue) -> Delivery? {
        guard let requestID = found["requestId"]?.code, let sequence = found["recipientSeq"]?.code else { return nil }
        let code = found["resultCode"]?.code
        func delivery(_ result: Delivery.Result) -> Delivery {
            Delivery(messageID: "\(requestID)/\(sequence)", result: result, code: code)
        }
        switch (found["messageStatus"], code) {
        case (.string("COMPLETED"), "1000"): return delivery(.delivered)
        case (.string("CANCEL"), _): return delivery(.undelivered)
        // Sent, and confirmed by KakaoTalk within three days or not at all.
        case (.string("FAILED"), "3005"), (.string("FAILED"), nil): return nil
        case (.string("FAILED"), _):
            switch found["resendStatus"] {
            // There was no text message instead, or it failed too.
            case nil, .null, .string("RSC01"), .string("RSC05"): return delivery(.undelivered)
            // The text message has arrived.
            case .string("RSC04"): return delivery(.delivered)
            default: return nil
            }
        default: return nil
        }
    }
}
