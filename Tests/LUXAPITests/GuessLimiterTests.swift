import Concurrency
import Testing

@testable import LUXAPI

@Suite struct GuessLimiterTests {
    let limiter = GuessLimiter()
    let start = MonotonicTime.now()

    private func guess(_ account: Int64 = 1, missed: Bool, after seconds: Int = 0) -> Int? {
        let now = start + .seconds(seconds)
        if let wait = limiter.begin(account: account, at: now) { return wait }
        limiter.end(account: account, missed: missed, at: now)
        return nil
    }

    @Test func `rejects an account after 20 misses for the rest of ten minutes`() {
        for second in 0..<20 { #expect(guess(missed: true, after: second) == nil) }
        #expect(guess(missed: false, after: 100) == 500)
        #expect(guess(missed: false, after: 599) == 1)
        #expect(guess(missed: false, after: 600) == nil)
    }

    @Test func `does not count hits, nor the misses of others`() {
        for _ in 0..<100 { #expect(guess(missed: false) == nil) }
        for _ in 0..<20 { #expect(guess(2, missed: true) == nil) }
        #expect(guess(missed: true) == nil)
        #expect(guess(2, missed: true) == 600)
    }

    @Test func `counts attempts in flight as misses until they end`() {
        for _ in 0..<20 { #expect(limiter.begin(account: 1, at: start) == nil) }
        #expect(limiter.begin(account: 1, at: start) == 1)
        limiter.end(account: 1, missed: false, at: start)
        #expect(limiter.begin(account: 1, at: start) == nil)
    }
}
