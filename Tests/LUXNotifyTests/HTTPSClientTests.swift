import Concurrency
import Foundation
import LUXTestSupport
import Testing

@testable import LUXNotify

/// One request with libcurl, to a provider that works or fails.
@Suite(.ownThread) struct HTTPSClientTests {
    private func exchange(
        _ provider: FakeProvider, seconds: Int = 4, method: String = "POST"
    ) async -> ProviderExchange {
        let request = ProviderRequest(method, "/x", body: method == "POST" ? Array(#"{"a":1}"#.utf8) : [])
        return await HTTPSClient(baseURL: provider.baseURL).exchange(request, deadline: .now() + .seconds(seconds))
    }

    private static let date = "Date: Wed, 25 Nov 2026 10:00:00 GMT"

    struct Pause: Sendable {
        var field: String
        /// `nil` for none.
        var seconds: ClosedRange<Double>?
        var date: String?

        init(_ field: String, _ seconds: ClosedRange<Double>?, date: String? = nil) {
            self.field = field
            self.seconds = seconds
            self.date = date
        }
    }

    /// RFC 9110 section 10.2.3. A date counts from the provider's own clock, where it sends its `Date`.
    @Test(arguments: [
        Pause("7", 7...7), Pause("0", 0...0), Pause(" 120 ", 120...120), Pause("007", 7...7),
        Pause("99999999999999999999999", 86_400...1e12), Pause("4000000000", 86_400...1e12),
        Pause("-5", nil), Pause("+5", nil), Pause("5.5", nil), Pause("", nil), Pause("soon", nil),
        Pause("Wed, 25 Nov 2026 10:00:30 GMT", 30...30, date: date),
        Pause("Wednesday, 25-Nov-26 10:00:30 GMT", 30...30, date: date),
        Pause("Wed Nov 25 10:00:30 2026", 30...30, date: date),
        Pause("Wed, 25 Nov 2026 09:00:00 GMT", 0...0, date: date),
        Pause("Fri, 31 Dec 9999 23:59:59 GMT", 86_400...1e12, date: date),
        Pause("Thu, 01 Jan 1970 00:00:00 GMT", 0...0), Pause("Wed, 32 Nov 2026 10:00:30 GMT", nil, date: date),
    ]) func `Retry-After is read as seconds and as a date`(_ pause: Pause) async throws {
        let fields = ["Retry-After: \(pause.field)"] + [pause.date].compactMap { $0 }
        let provider = try FakeProvider(.reply(429, "", headers: fields))
        guard case .reply(let reply) = await exchange(provider) else {
            Issue.record("no reply")
            return
        }
        #expect(reply.status == 429)
        if let seconds = pause.seconds {
            let found = try #require(reply.retryAfter)
            #expect(seconds.contains(found.inSeconds), "\(pause.field) → \(found)")
        } else {
            #expect(reply.retryAfter == nil, "\(pause.field)")
        }
    }

    @Test func `ignores interim responses and their fields`() async throws {
        let body = "{}"
        let provider = try FakeProvider(
            .bytes(
                "HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\nHTTP/1.1 103 Early Hints\r\nRetry-After: 8\r\n\r\n"
                    + "HTTP/1.1 202 Accepted\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"))
        guard case .reply(let reply) = await exchange(provider) else {
            Issue.record("no reply")
            return
        }
        #expect(reply.status == 202 && reply.body == Array(body.utf8) && reply.isWhole && reply.retryAfter == nil)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nConte", "HTTP/1.1 200 OK\r\nContent-Type: x\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "H", "",
    ]) func `a head that is cut off is no reply`(_ bytes: String) async throws {
        let exchange = await exchange(try FakeProvider(.bytes(bytes)))
        guard case .noResponse(let reason) = exchange else {
            Issue.record("\(exchange)")
            return
        }
        #expect(!reason.isEmpty && !reason.lowercased().contains("no error"), "\(reason)")
    }

    @Test func `a head without an end is not read forever`() async throws {
        let provider = try FakeProvider(.endlessHead)
        guard case .noResponse = await exchange(provider, seconds: 60) else {
            Issue.record("a response")
            return
        }
        #expect(provider.connections == 1)
    }

    @Test func `a reply above the limit, head included, is cut off`() async throws {
        let whole = String(repeating: "x", count: HTTPSClient.replyLimit - 1_000)
        for (body, isWhole) in [(whole, true), (whole + String(repeating: "x", count: 1_001), false)] {
            guard case .reply(let reply) = await exchange(try FakeProvider(.reply(200, body))) else {
                Issue.record("no reply")
                return
            }
            #expect(reply.isWhole == isWhole && (!isWhole || reply.body.count == body.utf8.count))
        }
    }

    /// The host may accept connections while the program behind it is gone. Some of the time is left for a retry.
    @Test func `a connection that is not established in time is abandoned before the deadline of the request`()
        async throws
    {
        let provider = try FakeProvider(.silent, certificate: try TestCA().issue("good"))
        let began = MonotonicTime.now()
        guard case .notSent = await exchange(provider, seconds: 60) else {
            Issue.record("a response")
            return
        }
        #expect(MonotonicTime.now() - began < .seconds(30))
    }

    @Test func `the roots are not read again for each request`() async throws {
        let authority = try TestCA()
        let provider = try FakeProvider(.reply(200, "{}"), certificate: try authority.issue("good"))
        let file = authority.certificate
        let client = HTTPSClient(baseURL: provider.baseURL, roots: TrustedRoots(file: file))
        for isThere in [true, false] {
            if !isThere { try FileManager.default.removeItem(atPath: file) }
            let exchange = await client.exchange(ProviderRequest("GET", "/x"), deadline: .now() + .seconds(60))
            guard case .reply(let reply) = exchange else {
                Issue.record("\(exchange)")
                return
            }
            #expect(reply.status == 200)
        }
        // Each has its own connection.
        #expect(provider.connections == 2)
    }

    @Test func `without time nothing is sent`() async throws {
        let provider = try FakeProvider(.reply(200, "{}"))
        guard case .notSent = await exchange(provider, seconds: 0) else {
            Issue.record("sent")
            return
        }
        #expect(provider.connections == 0)
    }
}
