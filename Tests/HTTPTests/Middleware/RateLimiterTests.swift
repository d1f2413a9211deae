import Concurrency
import Testing

@testable import HTTP

@Suite struct RateLimiterTests {
    private let start = MonotonicTime.now()

    @Test func `lets a burst through, then the rate, and reports the seconds to wait`() {
        let limiter = RateLimiter(RateLimiter.Rate(perSecond: 0.25, burst: 3))
        for _ in 0..<3 { #expect(limiter.take(userID: 1, now: start) == nil) }
        #expect(limiter.take(userID: 1, now: start) == 4)
        #expect(limiter.take(userID: 1, now: start + .seconds(3)) == 1)
        #expect(limiter.take(userID: 1, now: start + .seconds(4)) == nil)
        #expect(limiter.take(userID: 1, now: start + .seconds(4)) == 4)
    }

    @Test func `keeps users apart, and fills no bucket above its burst`() {
        let limiter = RateLimiter(RateLimiter.Rate(perSecond: 1, burst: 1))
        #expect(limiter.take(userID: 1, now: start) == nil)
        #expect(limiter.take(userID: 2, now: start) == nil)
        #expect(limiter.take(userID: 1, now: start) == 1)
        #expect(limiter.take(userID: 1, now: start + .seconds(1_000)) == nil)
        #expect(limiter.take(userID: 1, now: start + .seconds(1_000)) == 1)
    }

    @Test func `forgets users whose buckets are full again`() {
        let limiter = RateLimiter(RateLimiter.Rate(perSecond: 1, burst: 2))
        for user in 0..<10_000 { _ = limiter.take(userID: Int64(user), now: start) }
        #expect(limiter.count == 10_000)
        _ = limiter.take(userID: 10_000, now: start + .seconds(5))
        #expect(limiter.count == 1)
    }
}
