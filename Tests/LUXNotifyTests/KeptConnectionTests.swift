import CCurl
import Foundation
import LUXTestSupport
import Testing

/// Why each message has a connection of its own: what libcurl does with a kept one.
@Suite struct KeptConnectionTests {
    /// Two POSTs over one handle, of which the provider reads the second and ends the connection without a reply.
    private func requests(keeping: Bool) throws -> Int {
        let first = Flag()
        let second = Flag()
        let provider = try FakeProvider()
        provider.reset(responding: { _ in
            defer { first.isSet ? second.set() : first.set() }
            return first.isSet && !second.isSet ? .resetAfter : .reply(200, "{}")
        })
        let curl = try #require(curl_easy_init())
        defer { curl_easy_cleanup(curl) }
        lux_curl_set_string(curl, CURLOPT_URL, provider.baseURL)
        lux_curl_set_string(curl, CURLOPT_PROXY, "")
        lux_curl_set_string(curl, CURLOPT_COPYPOSTFIELDS, "{}")
        lux_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
        lux_curl_set_long(curl, CURLOPT_TIMEOUT_MS, 60_000)
        lux_curl_set_callback(curl, CURLOPT_WRITEFUNCTION) { _, size, count, _ in size * count }
        lux_curl_set_long(curl, CURLOPT_FORBID_REUSE, keeping ? 0 : 1)
        #expect(curl_easy_perform(curl) == CURLE_OK)
        let outcome = curl_easy_perform(curl)
        #expect((outcome == CURLE_OK) == keeping)
        return provider.requests.count
    }

    @Test func `libcurl sends again what was read from a kept connection, and not from a new one`() async throws {
        try await onThread {
            let (kept, own) = (try requests(keeping: true), try requests(keeping: false))
            #expect(kept == 3 && own == 2)
        }
    }
}
