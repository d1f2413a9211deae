import Concurrency
import Foundation
import LUX
import LUXTestSupport
import Testing

@testable import LUXNotify

/// Look-ups of messages of unknown outcome, with replies in the shapes of the providers' documents.
@Suite(.ownThread) struct LookUpTests {
    /// 2026-11-25 10:00:00 in Korea.
    private static let created = Timestamp(microseconds: 1_795_568_400_000_000)
    private static let text = "#{children}님의 전극이 떨어졌습니다.\n#{time}"
    private static let sent = "Minjun, 지수님의 전극이 떨어졌습니다.\n2026-11-25 10:00"

    private static func provider(_ name: String, smsSender: String? = nil) throws -> any AlimtalkProvider {
        let kind = try #require(AlimtalkProviders.all.first { $0.name == name })
        var values = Dictionary(uniqueKeysWithValues: kind.variables.map { ($0.name, "hidden-value") })
        values["TEXT"] = text
        values["TEMPLATE_CODE"] = "lost"
        values["SENDER"] = "0212345678"
        var settings = AlimtalkSettings(
            kind, values: values,
            variables: TemplateVariables(
                patterns: ["children": "{children}", "time": "{time}"],
                timeZone: try #require(TimeZone(identifier: "Asia/Seoul"))),
            smsSender: smsSender)
        let provider = kind.init(&settings)
        #expect(settings.faults == [])
        return provider
    }

    private static func message(_ phone: String? = "+821012345678", others: Set<String> = []) -> SoughtMessage {
        SoughtMessage(
            userID: 7, phoneNumber: phone.flatMap { PhoneNumber($0) }, time: created, reference: "lux-1-0",
            otherIDs: others)
    }

    /// Looks a message up; replies come from the request and the number of those before it.
    private func lookUp(
        _ name: String, _ message: SoughtMessage = LookUpTests.message(), smsSender: String? = nil, hours: Int64 = 1,
        _ reply: (ProviderRequest, Int) -> (Int, String)
    ) throws -> (step: LookUpStep, requests: [ProviderRequest]) {
        var lookUp = try Self.provider(name, smsSender: smsSender).lookUp(message)
        var requests: [ProviderRequest] = []
        let now = Self.created.microseconds / 1_000 + hours * 3_600_000
        while requests.count < 1_000 {
            let attempt = SendingAttempt(unixMilliseconds: now, salt: "salt\(requests.count)")
            guard let request = lookUp.request(attempt: attempt) else { return (.open("missing"), requests) }
            let (status, body) = reply(request, requests.count)
            #expect(body.utf8.count < HTTPSClient.replyLimit - 1_000)
            requests.append(request)
            let step = lookUp.read(ProviderReply(status: status, body: Array(body.utf8)), at: now)
            if step != .next { return (step, requests) }
        }
        Issue.record("no end")
        return (.next, requests)
    }

    // MARK: Solapi

    /// A message of Solapi's list, of the size that a long text has.
    private static func solapi(_ id: String, to: String, reference: String?) -> String {
        let fields = reference.map { #"{"reference":"\#($0)"}"# } ?? "{}"
        return """
            "\(id)":{"messageId":"\(id)","to":"\(to)","type":"ATA","statusCode":"4000","reason":null,"customFields":\(fields),\
            "replacement":false,"text":"\(String(repeating: "가", count: 1_300))"}
            """
    }

    @Test func `solapi: pages of 50 of one number are followed to the message`() throws {
        let (step, requests) = try lookUp("solapi") { request, index in
            let messages = (0..<50).map { number in
                Self.solapi(
                    "M\(index * 50 + number)", to: "01012345678",
                    reference: index == 4 && number == 49 ? "lux-1-0" : "lux-2-\(number)")
            }
            return (200, #"{"limit":50,"nextKey":"K=\#(index)","messageList":{\#(messages.joined(separator: ","))}}"#)
        }
        #expect(step == .settled(.accepted(messageID: "M249")))
        #expect(requests.count == 5)
        for (index, request) in requests.enumerated() {
            #expect(request.target.contains("&limit=50&") && request.target.contains("&to=01012345678"))
            #expect(request.target.hasSuffix("&startKey=K%3D\(index - 1)") == (index > 0), "\(request.target)")
        }
        #expect(Set(requests.map { $0.headers.last?.value }).count == 5, "each is signed by itself")
    }

    @Test func `solapi: a message to a number that has changed since is found among all`() throws {
        let (step, requests) = try lookUp("solapi") { request, _ in
            let list = request.target.contains("&to=") ? "" : Self.solapi("M9", to: "01099998888", reference: "lux-1-0")
            return (200, #"{"limit":50,"nextKey":null,"messageList":{\#(list)}}"#)
        }
        #expect(step == .settled(.accepted(messageID: "M9")) && requests.count == 2)
    }

    @Test func `solapi: a list without an end is given up`() throws {
        let (step, requests) = try lookUp("solapi") { _, index in
            (200, #"{"nextKey":"K\#(index)","messageList":{\#(Self.solapi("M", to: "0", reference: "x"))}}"#)
        }
        #expect(step == .open("solapi: more than 5000 messages around that time") && requests.count == 100)
    }

    // MARK: SENS

    private static func sens(_ id: String, _ more: String = "") -> String {
        """
        {"requestId":"R","messageId":"\(id)","requestTime":"2026-11-25 10:00:01","plusFriendId":"@lux","templateCode":"lost",\
        "to":"01012345678","requestStatusCode":"A000","requestStatusName":"success"\(more)}
        """
    }

    private static func content(_ text: String) -> String {
        #","content":"\#(text.replacing("\n", with: #"\r\n"#))""#
    }

    @Test func `sens: lists by channel, time, number and template, page by page, and compares the text`() throws {
        let (step, requests) = try lookUp("sens", Self.message(others: ["S1"])) { request, index in
            switch index {
            case 0:
                (200, #"{"statusCode":"200","messages":[\#(Self.sens("S1")),\#(Self.sens("S2"))],"nextToken":"T/1"}"#)
            case 1: (200, #"{"statusCode":"200","messages":[\#(Self.sens("S3"))],"nextToken":null}"#)
            default:
                request.target.hasSuffix("/S3")
                    ? (200, Self.sens("S3", Self.content(Self.sent) + #","messageStatusName":"success""#))
                    : (200, #"{"messages":[\#(Self.sens("S2", Self.content("another")))]}"#)
            }
        }
        #expect(step == .settled(.accepted(messageID: "S3")))
        let path = "/alimtalk/v2/services/hidden-value/messages"
        let query =
            "plusFriendId=hidden-value&requestStartTime=2026-11-25%2009%3A50%3A00&requestEndTime=2026-11-25%2010%3A15%3A00"
            + "&to=01012345678&templateCode=lost&pageSize=100"
        #expect(
            requests.map(\.target) == [
                "\(path)?\(query)", "\(path)?\(query)&nextToken=T%2F1", "\(path)/S3", "\(path)/S2",
            ])
        for request in requests {
            let fields = Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name, $0.value) })
            #expect(
                fields["x-ncp-apigw-signature-v2"]
                    == SENSProvider.signature(
                        method: "GET", target: request.target, timestamp: fields["x-ncp-apigw-timestamp"] ?? "",
                        accessKey: "hidden-value", secretKey: "hidden-value"))
        }
    }

    @Test(arguments: [
        ("", LookUpStep.settled(.accepted(messageID: "S1"))),
        (#","messageStatusName":"processing""#, .settled(.accepted(messageID: "S1"))),
        (
            #","messageStatusName":"fail","messageStatusCode":"3018""#,
            .settled(.refused(reason: "sens: delivery code 3018"))
        ),
        (
            #","messageStatusName":"fail","messageStatusCode":"3018","failover":{"messageStatusName":"success"}"#,
            .settled(.accepted(messageID: "S1"))
        ),
        (
            #","messageStatusName":"fail","messageStatusCode":"3018","failover":{"messageStatusName":"processing"}"#,
            .waits("sens: a text message is in flight")
        ),
    ]) func `sens: what was delivered, by whichever way, is sent`(_ more: String, _ expected: LookUpStep) throws {
        let (step, _) = try lookUp("sens", smsSender: "0212345678") { _, index in
            index == 0
                ? (200, #"{"messages":[\#(Self.sens("S1"))]}"#)
                : (200, Self.sens("S1", Self.content(Self.sent) + more))
        }
        #expect(step == expected)
    }

    @Test(arguments: [
        (["S1"], Self.sent, "have another text"), (["S1", "S2"], Self.sent, "several messages"),
    ]) func `sens: what is ambiguous stays open`(_ ids: [String], _ text: String, _ says: String) throws {
        let (step, _) = try lookUp("sens") { request, index in
            let text = ids.count == 1 ? "another" : text
            return index == 0
                ? (200, #"{"messages":[\#(ids.map { Self.sens($0) }.joined(separator: ","))]}"#)
                : (200, Self.sens("S", Self.content(text)))
        }
        guard case .open(let reason) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(reason.contains(says))
    }

    @Test(arguments: [
        (Self.sent, LookUpStep.open("sens: a message around that time has this text and another number")),
        ("another", .notFound),
    ]) func `sens: a message to a number that the account no longer has does not become failed`(
        _ text: String, _ expected: LookUpStep
    ) throws {
        let (step, requests) = try lookUp("sens", Self.message(others: ["S7"])) { request, _ in
            if request.target.contains("&to=") { return (404, "") }
            if request.target.hasSuffix("/S8") {
                return (200, Self.sens("S8", Self.content(text)).replacing("01012345678", with: "01099998888"))
            }
            return (200, #"{"messages":[\#(Self.sens("S7")),\#(Self.sens("S8"))]}"#)
        }
        #expect(step == expected)
        #expect(requests.count == 3 && !requests[1].target.contains("&to="))
    }

    @Test func `sens: an empty 404 is an empty list, and any other reply is none`() throws {
        #expect(try lookUp("sens") { _, _ in (404, "") }.step == .notFound)
        #expect(try lookUp("sens") { _, _ in (200, #"{"messages":[]}"#) }.step == .notFound)
        #expect(
            try lookUp("sens", Self.message(others: ["S1"])) { _, _ in (200, #"{"messages":[\#(Self.sens("S1"))]}"#) }
                .step == .notFound)
        for (status, body) in [(404, #"{"error":{"errorCode":"300"}}"#), (401, ""), (200, "x"), (200, "{}")] {
            let (step, _) = try lookUp("sens") { _, _ in (status, body) }
            guard case .open = step else {
                Issue.record("\(status) \(body)")
                continue
            }
        }
    }

    // MARK: Aligo

    private static func history(_ mid: String, _ text: String, at time: String = "2026-11-25 10:00:02") -> String {
        """
        {"mid":"\(mid)","type":"AT","msg_count":"1","mbody":"\(text.replacing("\n", with: #"\r\n"#))","reg_date":"\(time)"}
        """
    }

    private static func detail(_ phone: String, _ more: String = "") -> String {
        #"{"code":0,"message":"성공","list":[{"msgid":"1","phone":"\#(phone)","smid":"0"\#(more)}]}"#
    }

    private static func list(_ messages: [String]) -> String {
        #"{"code":0,"message":"성공","list":[\#(messages.joined(separator: ","))]}"#
    }

    private func mid(_ request: ProviderRequest) -> String {
        String(decoding: request.body, as: UTF8.self).components(separatedBy: "&").first { $0.hasPrefix("mid=") } ?? ""
    }

    @Test func `aligo: the history of the day is read page by page, and the number of each equal text`() throws {
        let (step, requests) = try lookUp("aligo", Self.message(others: ["9"])) { request, index in
            switch index {
            case 0:
                let later = (0..<50).map { Self.history("\(100 + $0)", "another", at: "2026-11-25 12:00:00") }
                return (200, Self.list(later))
            case 1:
                return (
                    200,
                    Self.list([
                        Self.history("9", Self.sent), Self.history("8", Self.sent), Self.history("7", Self.sent),
                        Self.history("6", "another"), Self.history("5", Self.sent, at: "2026-11-25 09:00:00"),
                    ])
                )
            default: return (200, Self.detail(self.mid(request) == "mid=8" ? "010-1234-5678" : "01099998888"))
            }
        }
        #expect(step == .settled(.accepted(messageID: "8")))
        #expect(requests.map(\.target) == ["list", "list", "detail", "detail"].map { "/akv10/history/\($0)/" })
        let bodies = requests.map { String(decoding: $0.body, as: UTF8.self) }
        for (index, body) in bodies.prefix(2).enumerated() {
            #expect(
                body == "apikey=hidden-value&userid=hidden-value&senderkey=hidden-value&page=\(index + 1)&limit=50"
                    + "&startdate=20261125&enddate=20261125")
        }
    }

    @Test(arguments: [
        (#","rslt":"U","rslt_message":"x""#, "aligo: delivery code U"), (#","status":"2""#, "aligo: status 2"),
        (#","rslt":"U","smid":"44""#, nil), (#","rslt":"S""#, nil), (#","rslt":"","status":"3""#, nil),
    ]) func `aligo: a text that differs from the template has failed`(_ more: String, _ reason: String?) throws {
        let (step, _) = try lookUp("aligo") { _, index in
            // The later of two equal members decides.
            (200, index == 0 ? Self.list([Self.history("8", Self.sent)]) : Self.detail("01012345678", more))
        }
        if let reason {
            guard case .settled(.refused(let found)) = step else {
                Issue.record("\(step)")
                return
            }
            #expect(found.hasPrefix(reason))
        } else {
            #expect(step == .settled(.accepted(messageID: "8")))
        }
    }

    @Test func `aligo: what is not in the history waits for a day, and is then not accepted`() throws {
        for (hours, isFinal) in [(Int64(1), false), (25, true)] {
            let none = try lookUp("aligo", hours: hours) { _, _ in (200, Self.list([])) }.step
            let other = try lookUp("aligo", hours: hours) { _, index in
                (200, index == 0 ? Self.list([Self.history("8", "another")]) : Self.detail("01099998888"))
            }.step
            let otherNumber = try lookUp("aligo", hours: hours) { _, index in
                (200, index == 0 ? Self.list([Self.history("8", Self.sent)]) : Self.detail("01099998888"))
            }.step
            let unlisted = try lookUp("aligo", hours: hours) { _, index in
                (200, index == 0 ? Self.list([Self.history("8", Self.sent)]) : Self.list([]))
            }.step
            for step in [none, other] {
                #expect(
                    step == (isFinal ? .notFound : .waits("aligo: not in the history yet, which is final after a day")))
            }
            // The account may have had that number.
            for step in [unlisted, otherNumber] {
                if case .open = step { #expect(isFinal) } else { #expect(!isFinal, "\(step)") }
            }
        }
    }

    @Test func `aligo: equal texts to one number, and errors, stay open`() throws {
        for (index, replies) in [
            (
                0,
                [Self.list([Self.history("8", Self.sent), Self.history("7", Self.sent)]), Self.detail("01012345678")]
            ),
            (1, [#"{"code":-99,"message":"등록되지 않은 서버 IP"}"#]), (2, ["x"]), (3, [#"{"code":0}"#]),
        ] {
            let step = try lookUp("aligo") { _, index in (200, replies[min(index, replies.count - 1)]) }.step
            guard case .open(let reason) = step else {
                Issue.record("\(index): \(step)")
                continue
            }
            #expect(index != 0 || reason.contains("several"))
            #expect(index != 1 || reason.contains("public address"))
        }
    }

    // MARK: All

    @Test func `a text matches with any names of children, and no other text does`() throws {
        let variables = TemplateVariables(
            patterns: ["a": "{children} ({user_id})", "t": "{time}"],
            timeZone: try #require(TimeZone(identifier: "Asia/Seoul")))
        let pattern = TextPattern("안녕 #{a}! #{t}\n#{unknown}", variables, for: Self.message())
        for text in [
            "안녕 x (7)! 2026-11-25 10:00\n#{unknown}", "안녕  (7)! 2026-11-25 10:00\r\n#{unknown} \n",
            "안녕 (7)! (7)! 2026-11-25 10:00\n#{unknown}",
        ] { #expect(pattern.matches(text), "\(text)") }
        for text in [
            "", "안녕 x (8)! 2026-11-25 10:00\n#{unknown}", "안녕 x (7)! 2026-11-25 10:01\n#{unknown}",
            "안녕 x (7)! 2026-11-25 10:00\n#{unknown}!", "x 안녕 x (7)! 2026-11-25 10:00\n#{unknown}",
        ] { #expect(!pattern.matches(text), "\(text)") }
        #expect(TextPattern("abc ", variables, for: Self.message()).matches("abc"))
        #expect(!TextPattern("abc", variables, for: Self.message()).matches("abcd"))
    }

    @Test func `requests keep their distance, and a pause that the provider requires is kept`() async throws {
        let times = Locked<[MonotonicTime]>([])
        let empty = #"{"header":{"isSuccessful":true},"messageSearchResultResponse":{"messages":[]}}"#
        func notifier(_ reply: @escaping @Sendable (Int) -> ProviderReply) throws -> ProviderNotifier {
            times.withLock { $0 = [] }
            return ProviderNotifier(
                provider: try Self.provider("nhn"), limits: .init(),
                exchange: { _, _ in
                    .reply(
                        reply(
                            times.withLock {
                                $0.append(.now())
                                return $0.count
                            }))
                })
        }
        func gaps() -> [Duration] { times.withLock { all in zip(all.dropFirst(), all).map { $0 - $1 } } }
        let found = ProviderReply(status: 200, body: Array(empty.utf8))

        let steady = try notifier { _ in found }
        for _ in 0..<4 {
            #expect(await steady.lookUp(Self.message()) == .settled(.refused(reason: "nhn: not found by look-up")))
        }
        // Each sleep ends a little late, so that a gap may be shorter and all together are not.
        #expect(gaps().count == 3 && gaps().reduce(.zero, +) >= .milliseconds(299), "\(gaps())")

        let busy = try notifier { $0 == 1 ? ProviderReply(status: 429, body: [], retryAfter: .seconds(2)) : found }
        #expect(await busy.lookUp(Self.message()) == .settled(.refused(reason: "nhn: not found by look-up")))
        #expect(gaps().count == 1 && gaps()[0] >= .seconds(2), "\(gaps())")

        let long = try notifier { _ in ProviderReply(status: 429, body: [], retryAfter: .seconds(3_600)) }
        #expect(
            await long.lookUp(Self.message()) == .paused(reason: "nhn: HTTP 429, the provider requires a pause"))
        #expect(times.withLock { $0.count } == 1)
    }

    @Test func `a message that is not listed within three minutes may be listed later`() async throws {
        let empty = #"{"header":{"isSuccessful":true},"messageSearchResultResponse":{"messages":[]}}"#
        let notifier = ProviderNotifier(
            provider: try Self.provider("nhn"), limits: .init(),
            exchange: { _, _ in .reply(ProviderReply(status: 200, body: Array(empty.utf8))) })
        var message = Self.message()
        for (age, waits) in [(Int64(60), true), (240, false)] {
            message.time = Timestamp(microseconds: (Int64(Date().timeIntervalSince1970) - age) * 1_000_000)
            let result = await notifier.lookUp(message)
            #expect((result == .waits(reason: "nhn: not listed yet")) == waits, "\(result)")
        }
    }
}
