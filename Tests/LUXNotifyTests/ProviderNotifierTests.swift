import Concurrency
import Foundation
import LUX
import LUXTestSupport
import Synchronization
import Testing
import TimeZones

@testable import LUXNotify

/// Attempts, limits and the circuit breaker, with scripted exchanges.
@Suite(.ownThread) struct ProviderNotifierTests {
    /// Returns one exchange after the other, then the last one forever, and counts the calls.
    private final class Script: Sendable {
        private let exchanges: [ProviderExchange]
        private let calls = Atomic(0)

        init(_ exchanges: [ProviderExchange]) {
            self.exchanges = exchanges
        }

        var count: Int { calls.load(ordering: .relaxed) }

        func next() -> ProviderExchange {
            let index = calls.add(1, ordering: .relaxed).oldValue
            return exchanges[min(index, exchanges.count - 1)]
        }
    }

    private static func provider(_ name: String) -> any AlimtalkProvider {
        let kind = AlimtalkProviders.all.first { $0.name == name } ?? NHNProvider.self
        let own = kind.variables.map { ($0.name, "value-of-\(name.uppercased())_\($0.name)") }
        var settings = AlimtalkSettings(
            kind, values: Dictionary(uniqueKeysWithValues: own),
            variables: TemplateVariables(patterns: [:], clock: .utc), smsSender: nil)
        return kind.init(&settings)
    }

    private static func message(_ number: String = "+821012345678") throws -> AlimtalkMessage {
        AlimtalkMessage(
            userID: 1, phoneNumber: try #require(PhoneNumber(number)), time: Timestamp(microseconds: 0),
            reference: "lux-1-0")
    }

    private static func reply(_ status: Int, _ body: String = "", after pause: Duration? = nil) -> ProviderExchange {
        .reply(ProviderReply(status: status, body: Array(body.utf8), retryAfter: pause))
    }

    private static let nhnSuccess = reply(
        200,
        """
        {"header":{"resultCode":0,"isSuccessful":true},"message":{"requestId":"R","sendResults":[{"recipientSeq":1,\
        "resultCode":0}]}}
        """)
    private static let sensSuccess = reply(
        202, #"{"statusCode":"202","messages":[{"messageId":"S","requestStatusCode":"A000"}]}"#)
    private static let nhnSeen = reply(200, #"{"header":{"resultCode":-1005,"isSuccessful":false}}"#)

    private static let nhnRejected = reply(200, #"{"header":{"resultCode":-3003,"isSuccessful":false}}"#)
    private static let nhnQuota = reply(200, #"{"header":{"resultCode":-1017,"isSuccessful":false}}"#)

    struct Case: Sendable {
        var name: String
        var provider: String
        var exchanges: [ProviderExchange]
        var status: String
        var calls: Int
    }

    @Test(arguments: [
        Case(
            name: "no connection", provider: "solapi", exchanges: [.notSent("connection refused")],
            status: "failed", calls: 3),
        Case(
            name: "no response, without a key", provider: "solapi", exchanges: [.noResponse("reset")],
            status: "unknown",
            calls: 1),
        Case(
            name: "no response, with a key", provider: "nhn", exchanges: [.noResponse("reset"), nhnSuccess],
            status: "sent", calls: 2),
        Case(
            name: "an earlier attempt has arrived", provider: "nhn", exchanges: [.noResponse("reset"), nhnSeen],
            status: "unknown", calls: 2),
        Case(
            name: "what comes after it does not undo it", provider: "nhn",
            exchanges: [.noResponse("reset"), .notSent("connection refused")], status: "unknown", calls: 3),
        Case(
            name: "503, which does not say that it was not taken", provider: "solapi",
            exchanges: [reply(503, #"{"errorCode":"Busy","errorMessage":"x"}"#)], status: "unknown", calls: 1),
        Case(name: "429", provider: "sens", exchanges: [reply(429)], status: "failed", calls: 3),
        Case(
            name: "429 for longer than there is time", provider: "sens", exchanges: [reply(429, after: .seconds(900))],
            status: "failed", calls: 1),
        Case(name: "500 without a key", provider: "sens", exchanges: [reply(500)], status: "unknown", calls: 1),
        Case(name: "500 with a key", provider: "nhn", exchanges: [reply(500), nhnSuccess], status: "sent", calls: 2),
        Case(
            name: "429 after a 500", provider: "nhn", exchanges: [reply(500), reply(429)], status: "unknown", calls: 3),
        Case(
            name: "no connection after a 500", provider: "nhn",
            exchanges: [reply(500), .notSent("connection refused")],
            status: "unknown", calls: 3),
        Case(
            name: "a rejection after a 500", provider: "nhn", exchanges: [reply(500), nhnRejected], status: "unknown",
            calls: 2),
        Case(name: "500 forever", provider: "nhn", exchanges: [reply(500)], status: "unknown", calls: 3),
        Case(name: "408", provider: "solapi", exchanges: [reply(408)], status: "failed", calls: 3),
        Case(name: "the quota of the day", provider: "nhn", exchanges: [nhnQuota], status: "failed", calls: 1),
        Case(name: "504", provider: "solapi", exchanges: [reply(504)], status: "unknown", calls: 1),
        Case(name: "an unreadable 200", provider: "nhn", exchanges: [reply(200, "x")], status: "unknown", calls: 1),
        Case(name: "400", provider: "nhn", exchanges: [reply(400)], status: "failed", calls: 1),
    ]) func `retries only where that is harmless`(_ test: Case) async throws {
        let script = Script(test.exchanges)
        let notifier = ProviderNotifier(
            provider: Self.provider(test.provider), limits: .init(timeout: .seconds(600)),
            exchange: { _, _ in script.next() })
        let outcome = await notifier.send(try Self.message(), deadline: nil)
        #expect(outcome.auditStatus == test.status, "\(test.name): \(outcome)")
        #expect(script.count == test.calls, "\(test.name)")
    }

    /// The times between the calls.
    private static func gaps(
        _ exchanges: [ProviderExchange], _ body: (ProviderNotifier) async throws -> Void
    ) async throws -> [Duration] {
        let script = Script(exchanges)
        let times = Locked<[MonotonicTime]>([])
        let notifier = ProviderNotifier(
            provider: provider("sens"), limits: .init(timeout: .seconds(60)),
            exchange: { _, _ in
                times.withLock { $0.append(.now()) }
                return script.next()
            })
        try await body(notifier)
        let all = times.withLock { $0 }
        return zip(all.dropFirst(), all).map { $0 - $1 }
    }

    @Test func `pauses between attempts even if the provider requires none`() async throws {
        let gaps = try await Self.gaps([Self.reply(429, after: .zero)]) { notifier in
            let outcome = await notifier.send(try Self.message(), deadline: nil)
            #expect(outcome.auditStatus == "failed")
        }
        #expect(gaps.count == 2 && gaps[0] >= .milliseconds(100) && gaps[1] >= .milliseconds(200), "\(gaps)")
    }

    @Test func `a message without time left is not sent, and the breaker does not count it`() async throws {
        let script = Script([Self.sensSuccess])
        let notifier = ProviderNotifier(
            provider: Self.provider("sens"), limits: .init(), exchange: { _, _ in script.next() })
        // Too little is none: the call would be cut off.
        for round in 0..<2 * CircuitBreaker.tolerated {
            let left = Duration.milliseconds(round.isMultiple(of: 2) ? 0 : 100)
            let outcome = await notifier.send(try Self.message(), deadline: .now() + left)
            #expect(outcome.auditStatus == "failed" && outcome.reason == "sens: no time left")
        }
        #expect(script.count == 0 && notifier.circuit == "closed")
    }

    @Test func `a message ends by the caller's deadline or its own timeout, whichever is earlier`() async throws {
        for (own, callers) in [(600, 5), (5, 600)] {
            let deadlines = Locked<[MonotonicTime]>([])
            let notifier = ProviderNotifier(
                provider: Self.provider("sens"), limits: .init(timeout: .seconds(own)),
                exchange: { _, deadline in
                    deadlines.withLock { $0.append(deadline) }
                    return Self.sensSuccess
                })
            let latest = MonotonicTime.now() + .seconds(60)
            _ = await notifier.send(try Self.message(), deadline: .now() + .seconds(callers))
            let found = deadlines.withLock { $0 }
            #expect(found.count == 1 && found[0] < latest)
        }
    }

    @Test func `a message whose client has disconnected is sent, with all its pauses`() async throws {
        let gaps = try await Self.gaps([Self.reply(429, after: .seconds(1)), Self.sensSuccess]) { notifier in
            let message = try Self.message()
            let request = Task { await notifier.send(message, deadline: nil) }
            request.cancel()
            #expect(await request.value.auditStatus == "sent")
        }
        #expect(gaps.count == 1 && gaps[0] >= .seconds(1), "\(gaps)")
    }

    @Test func `reasons and ids contain neither the number nor a key`() async throws {
        for exchange: ProviderExchange in [
            .noResponse("cannot reach value-of-SOLAPI_API_SECRET for 01012345678"),
            Self.reply(400, #"{"errorCode":"to-1012345678","errorMessage":"x"}"#),
            Self.reply(400, #"{"errorCode":"to-010-1234-5678.","errorMessage":"x"}"#),
            Self.reply(400, #"{"errorCode":"010.12345678/82:10-12345678","errorMessage":"x"}"#),
            Self.reply(400, #"{"errorCode":"A sentence about 010-1234-5678","errorMessage":"x"}"#),
        ] {
            let notifier = ProviderNotifier(
                provider: Self.provider("solapi"), limits: .init(), exchange: { _, _ in exchange })
            let reason = await notifier.send(try Self.message(), deadline: nil).reason ?? ""
            #expect(!reason.isEmpty)
            for hidden in ["value-of", "12345678", "1234-5678"] { #expect(!reason.contains(hidden), "\(reason)") }
            #expect(!reason.filter(\.isNumber).contains("12345678"), "\(reason)")
        }
    }

    @Test func `the breaker opens after failures in a row and lets one call try again`() {
        var breaker = CircuitBreaker()
        var now = MonotonicTime(nanoseconds: 0)
        func state() -> CircuitBreaker.State { breaker.state(at: now) }
        for _ in 1..<CircuitBreaker.tolerated { breaker.leave(.usual, worked: false, at: now) }
        breaker.leave(.usual, worked: true, at: now)
        for _ in 1..<CircuitBreaker.tolerated { breaker.leave(.usual, worked: false, at: now) }
        #expect(state() == .closed)
        breaker.leave(.usual, worked: false, at: now)
        #expect(state() == .open && breaker.enter(at: now) == nil)
        // Earlier calls change nothing.
        breaker.leave(.usual, worked: true, at: now)
        #expect(state() == .open)
        now = now + .seconds(5)
        #expect(state() == .halfOpen)
        #expect(breaker.enter(at: now) == .probe)
        #expect(breaker.enter(at: now) == nil)
        breaker.leave(.probe, worked: false, at: now)
        now = now + .seconds(9)
        #expect(state() == .open)
        now = now + .seconds(1)
        #expect(breaker.enter(at: now) == .probe)
        breaker.leave(.probe, worked: true, at: now)
        #expect(state() == .closed && breaker.enter(at: now) == .usual)
    }

    @Test func `variables are filled in one pass and the text around them stays as it is`() throws {
        let variables = TemplateVariables(
            patterns: ["#{who}": "{children} ({user_id})", "when": "{time}", "plain": "{no}{"],
            clock: try #require(WallClock(identifier: "Asia/Seoul")))
        let notification = AlimtalkMessage(
            userID: 7, phoneNumber: try #require(PhoneNumber("+821012345678")), children: ["지수", "{time}#{when}"],
            time: Timestamp(microseconds: 1_740_152_929_000_000), reference: "r")
        let values = variables.values(for: notification)
        #expect(values.map(\.name) == ["plain", "when", "who"])
        #expect(values.map(\.value) == ["{no}{", "2025-02-22 00:48", "지수, {time}#{when} (7)"])
        let cases = [
            ("", ""), ("#{who}", "지수, {time}#{when} (7)"),
            ("a\n #{when}!\t#{when}", "a\n 2025-02-22 00:48!\t2025-02-22 00:48"),
            ("#{unknown} #{", "#{unknown} #{"), ("#who} {who}", "#who} {who}"),
        ]
        for (text, rendered) in cases { #expect(variables.rendered(text, for: notification) == rendered) }
        #expect(TemplateVariables.names(in: "#{a}{b}#{c d}") == ["a", "c d"])
    }
}
