import Concurrency
import Foundation
import LUX
import LUXTestSupport
import Testing
import TimeZones

@testable import LUXNotify

/// Look-ups of messages of unknown outcome, with replies in the shapes of the providers' documents.
@Suite(.ownThread) struct LookUpTests {
    /// 2026-11-25 10:00:00 in Korea.
    static let created = Timestamp(microseconds: 1_795_568_400_000_000)
    static let text = "#{children}님의 전극이 떨어졌습니다.\n#{time}"
    static let sent = "Minjun, 지수님의 전극이 떨어졌습니다.\n2026-11-25 10:00"

    static func provider(_ name: String, smsSender: String? = nil) throws -> any AlimtalkProvider {
        let kind = try #require(AlimtalkProviders.all.first { $0.name == name })
        var values = Dictionary(uniqueKeysWithValues: kind.variables.map { ($0.name, "hidden-value") })
        values["TEXT"] = text
        values["TEMPLATE_CODE"] = "lost"
        values["SENDER"] = "0212345678"
        var settings = AlimtalkSettings(
            kind, values: values,
            variables: TemplateVariables(
                patterns: ["children": "{children}", "time": "{time}"],
                clock: try #require(WallClock(identifier: "Asia/Seoul"))),
            smsSender: smsSender)
        let provider = kind.init(&settings)
        #expect(settings.errors == [])
        return provider
    }

    static func message(_ phone: String? = "+821012345678", others: Set<String> = []) -> SoughtMessage {
        SoughtMessage(
            userID: 7, phoneNumber: phone.flatMap { PhoneNumber($0) }, time: created, reference: "lux-1-0",
            otherIDs: others)
    }

    /// Looks a message up; replies come from the request and the number of those before it.
    func lookUp(
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

    @Test func `solapi: a list without an end is abandoned`() throws {
        let (step, requests) = try lookUp("solapi") { _, index in
            (200, #"{"nextKey":"K\#(index)","messageList":{\#(Self.solapi("M", to: "0", reference: "x"))}}"#)
        }
        #expect(step == .open("solapi: more than 5000 messages around that time") && requests.count == 100)
    }

    // MARK: All

    @Test func `a text matches with any names of children, and no other text does`() throws {
        let variables = TemplateVariables(
            patterns: ["a": "{children} ({user_id})", "t": "{time}"],
            clock: try #require(WallClock(identifier: "Asia/Seoul")))
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
            #expect(await steady.lookUp(Self.message()) == .settled(.rejected(reason: "nhn: not found by look-up")))
        }
        // Each sleep ends a little late, so that a gap may be shorter and all together are not.
        #expect(gaps().count == 3 && gaps().reduce(.zero, +) >= .milliseconds(299), "\(gaps())")

        let busy = try notifier { $0 == 1 ? ProviderReply(status: 429, body: [], retryAfter: .seconds(2)) : found }
        #expect(await busy.lookUp(Self.message()) == .settled(.rejected(reason: "nhn: not found by look-up")))
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
