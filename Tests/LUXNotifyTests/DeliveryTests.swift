import Concurrency
import Foundation
import LUX
import Testing
import TimeZones

@testable import LUXNotify

/// The results of accepted messages, as each provider lists them.
@Suite struct DeliveryTests {
    private static func provider(_ name: String, fallback: Bool = false) throws -> any DeliveryReporting {
        let kind = try #require(AlimtalkProviders.all.first { $0.name == name })
        let values = Dictionary(uniqueKeysWithValues: kind.variables.map { ($0.name, "x") })
        var settings = AlimtalkSettings(
            kind, values: values,
            variables: TemplateVariables(patterns: [:], clock: .utc), smsSender: fallback ? "021234567" : nil)
        let provider = kind.init(&settings)
        #expect(settings.errors == [])
        return try #require(provider as? any DeliveryReporting)
    }

    private static let span = DeliverySpan(
        from: Timestamp(microseconds: 1_740_000_000_000_000), until: Timestamp(microseconds: 1_740_152_929_000_000))

    @Test func `requests what changed within the span, in the provider's clock`() throws {
        let cases = [
            (
                "nhn",
                "/alimtalk/v2.3/appkeys/x/message-results?startUpdateDate=2025-02-20%2006:20"
                    + "&endUpdateDate=2025-02-22%2000:49&pageNum=1&pageSize=100"
            ),
            (
                "solapi",
                "/messages/v4/list?dateType=UPDATED&startDate=2025-02-19T21%3A20%3A00.000Z"
                    + "&endDate=2025-02-21T15%3A48%3A49.000Z&limit=50"
            ),
            (
                "sens",
                "/alimtalk/v2/services/x/messages?plusFriendId=x&completeStartTime=2025-02-21%2000%3A48%3A50"
                    + "&completeEndTime=2025-02-22%2000%3A48%3A49&pageSize=100"
            ),
        ]
        for (name, target) in cases {
            let attempt = SendingAttempt(unixMilliseconds: 0, salt: "s")
            let request = try Self.provider(name).deliveryRequest(Self.span, page: nil, attempt: attempt)
            #expect(request.method == "GET" && request.target == target)
            let second = try Self.provider(name).deliveryRequest(Self.span, page: "7", attempt: attempt)
            #expect(second.target.contains("7") && second.target != target)
        }
    }

    private static func nhn(_ fields: String) -> String {
        #"{"header":{"isSuccessful":true},"messages":[{"requestId":"R","recipientSeq":1\#(fields)}]}"#
    }

    private static func solapi(_ fields: String) -> String {
        #"{"nextKey":null,"messageList":{"R/1":{"messageId":"R/1"\#(fields)}}}"#
    }

    private static func sens(_ fields: String) -> String { #"{"messages":[{"messageId":"R/1"\#(fields)}]}"# }

    private static let results:
        [(provider: String, fallback: Bool, body: String, result: Delivery.Result?, code: String?)] = [
            ("nhn", false, nhn(#","messageStatus":"COMPLETED","resultCode":"1000""#), .delivered, "1000"),
            ("nhn", false, nhn(#","messageStatus":"COMPLETED""#), nil, nil),
            ("nhn", false, nhn(#","messageStatus":"READY""#), nil, nil),
            ("nhn", false, nhn(#","messageStatus":"FAILED","resultCode":3019"#), .undelivered, "3019"),
            (
                "nhn", false, nhn(#","messageStatus":"FAILED","resultCode":"3020","resendStatus":"RSC01""#),
                .undelivered, "3020"
            ),
            ("nhn", true, nhn(#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC02""#), nil, nil),
            ("nhn", true, nhn(#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC03""#), nil, nil),
            (
                "nhn", true, nhn(#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC04""#), .delivered,
                "3019"
            ),
            (
                "nhn", true, nhn(#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC05""#),
                .undelivered, "3019"
            ),
            ("nhn", false, nhn(#","messageStatus":"FAILED","resultCode":"3005","resendStatus":"RSC01""#), nil, nil),
            ("nhn", false, nhn(#","messageStatus":"CANCEL""#), .undelivered, nil),
            ("solapi", false, solapi(#","statusCode":"4000""#), .delivered, "4000"),
            ("solapi", false, solapi(#","statusCode":"3000""#), nil, nil),
            ("solapi", false, solapi(#","statusCode":"2000""#), nil, nil),
            ("solapi", false, solapi(#","statusCode":null"#), nil, nil),
            ("solapi", false, solapi(#","statusCode":"3104","replacement":false"#), .undelivered, "3104"),
            ("solapi", true, solapi(#","statusCode":"3104","replacement":1"#), nil, nil),
            ("sens", false, sens(#","messageStatusName":"success","messageStatusCode":"0000""#), .delivered, "0000"),
            ("sens", false, sens(#","messageStatusName":"processing""#), nil, nil),
            ("sens", false, sens(#","messageStatusName":"fail","messageStatusCode":"3018""#), .undelivered, "3018"),
            ("sens", true, sens(#","messageStatusName":"fail","messageStatusCode":"3018""#), nil, nil),
            (
                "sens", true,
                sens(
                    #","messageStatusName":"fail","messageStatusCode":"3018","failover":{"messageStatusName":"success"}"#
                ),
                .delivered, "3018"
            ),
        ]

    @Test(arguments: results)
    func `a result is delivered, undelivered or still open`(
        _ name: String, _ fallback: Bool, _ body: String, _ result: Delivery.Result?, _ code: String?
    ) throws {
        let page = try Self.provider(name, fallback: fallback).deliveries(
            in: ProviderReply(status: 200, body: Array(body.utf8)), page: nil)
        let expected = result.map { [Delivery(messageID: "R/1", result: $0, code: code)] } ?? []
        #expect(page == DeliveryPage(deliveries: expected))
    }

    @Test func `pages follow each other, and what cannot be read is no page`() throws {
        let row = #"{"requestId":"R","recipientSeq":1}"#
        func next(_ name: String, _ status: Int, _ body: String, page: String? = nil) throws -> DeliveryPage? {
            try Self.provider(name).deliveries(in: ProviderReply(status: status, body: Array(body.utf8)), page: page)
        }
        let full = Array(repeating: row, count: 100).joined(separator: ",")
        let nhn = #"{"header":{"isSuccessful":true},"messages":[\#(full)]}"#
        #expect(try next("nhn", 200, nhn)?.next == "2")
        #expect(try next("nhn", 200, nhn, page: "2")?.next == "3")
        #expect(try next("solapi", 200, #"{"nextKey":"M9","messageList":{}}"#)?.next == "M9")
        #expect(try next("sens", 200, #"{"messages":[{"messageId":"1"}],"nextToken":"t"}"#)?.next == "t")
        #expect(try next("sens", 404, "") == DeliveryPage(deliveries: []))
        for name in ["nhn", "solapi", "sens"] {
            #expect(try next(name, 200, "<html>") == nil)
            #expect(try next(name, 500, "{}") == nil)
        }
        #expect(try next("nhn", 200, #"{"header":{"isSuccessful":false},"messages":[]}"#) == nil)
    }

    // MARK: Aligo

    private static let created = Timestamp(microseconds: 1_740_000_000_000_000)

    private static func aligo(delivered: String?) throws -> AligoProvider {
        var values = Dictionary(uniqueKeysWithValues: AligoProvider.variables.map { ($0.name, "0212345678") })
        values["DELIVERED"] = delivered
        var settings = AlimtalkSettings(
            AligoProvider.self, values: values,
            variables: TemplateVariables(patterns: [:], clock: .utc), smsSender: nil)
        let provider = AligoProvider(&settings)
        #expect(settings.errors == [])
        return provider
    }

    private static func detail(_ row: String) -> String { #"{"code":0,"message":"성공","list":[\#(row)],"totalPage":1}"# }

    /// Rows of the history as the provider documents them; the result within an hour, and after a day.
    private static let details: [(row: String, delivered: String?, early: [Delivery], late: [Delivery])] = {
        func one(_ result: Delivery.Result?, _ code: String?) -> [Delivery] {
            [Delivery(messageID: "47", result: result, code: code)]
        }
        func row(_ fields: String, id: String = "1", smid: String = "0") -> String {
            #"{"msgid":"\#(id)","phone":"010-1234-5678","smid":"\#(smid)"\#(fields)}"#
        }
        return [
            (row(#","status":"3","rslt":"U","rslt_message":"x""#), nil, one(.undelivered, "U"), one(.undelivered, "U")),
            (
                row(#","status":"2","rslt":"""#), nil, one(.undelivered, "status 2"), one(.undelivered, "status 2")
            ),
            (row(#","status":"3","rslt":"0""#), nil, [], one(nil, "0")),
            (row(#","status":"3","rslt":"0""#), "S, 0", one(.delivered, "0"), one(.delivered, "0")),
            (row(#","status":"3","rslt":0"#), "0", one(.delivered, "0"), one(.delivered, "0")),
            (row(#","status":"3","rslt":"3018""#), "0", [], one(.undelivered, "3018")),
            (row(#","status":"3","rslt":"U""#, smid: "88"), "0", [], one(nil, "smid")),
            (row(#","status":"3","rslt":"""#, id: "Q1"), "0", [], one(nil, nil)),
            ("", "0", [], one(nil, nil)),
        ]
    }()

    @Test(arguments: details)
    func `aligo: a result that is documented or configured counts, any other is final after a day and not judged`(
        _ row: String, _ delivered: String?, _ early: [Delivery], _ late: [Delivery]
    ) throws {
        let provider = try Self.aligo(delivered: delivered)
        let reply = ProviderReply(status: 200, body: Array(Self.detail(row).utf8))
        let message = OpenDelivery(messageID: "47", createdAt: Self.created)
        let start = Self.created.microseconds / 1_000
        for (age, expected) in [(Int64(3_600), early), (86_399, early), (86_400, late)] {
            #expect(provider.deliveries(of: message, in: reply, at: start + age * 1_000) == expected, "\(age)")
        }
    }

    @Test func `aligo: polls each message by its id, and an error is no result`() throws {
        let provider = try Self.aligo(delivered: nil)
        let message = OpenDelivery(messageID: "47", createdAt: Self.created)
        let request = provider.deliveryRequest(of: message, attempt: SendingAttempt(unixMilliseconds: 0, salt: "s"))
        #expect(request.method == "POST" && request.target == "/akv10/history/detail/")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "apikey=0212345678&userid=0212345678&senderkey=0212345678&mid=47&page=1&limit=50")
        for (status, body) in [
            (200, #"{"code":-99,"message":"x"}"#), (200, "<html>"), (500, "{}"), (200, #"{"code":0}"#),
        ] {
            let reply = ProviderReply(status: status, body: Array(body.utf8))
            #expect(provider.deliveries(of: message, in: reply, at: Int64.max) == nil, "\(body)")
        }
    }

    @Test func `messages that are polled one by one keep the pace of look-ups, and end with the first error`()
        async throws
    {
        let count = Locked(0)
        let found = Self.detail(#"{"msgid":"1","phone":"1","smid":"0","rslt":"U"}"#)
        let notifier = ProviderNotifier(
            provider: try Self.aligo(delivered: nil), limits: .init(),
            exchange: { _, _ in
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                let body = number == 4 ? #"{"code":-99,"message":"IP"}"# : found
                return .reply(ProviderReply(status: 200, body: Array(body.utf8)))
            })
        #expect(notifier.reportsDeliveries && notifier.reportsSingleDeliveries)
        let messages = (1...9).map { OpenDelivery(messageID: "\($0)", createdAt: Self.created) }
        let start = MonotonicTime.now()
        let report = await notifier.deliveries(of: messages)
        #expect(MonotonicTime.now() - start >= .milliseconds(299))
        #expect(report.deliveries.map(\.messageID) == ["1", "2", "3"])
        #expect(report.error == "aligo: HTTP 200, which leaves the results open")
        #expect(count.withLock { $0 } == 4)
    }
}
