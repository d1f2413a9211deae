import Concurrency

/// A token bucket for each user, shared by all loops.
package final class RateLimiter: Sendable {
    /// Requests that a bucket gains each second, and its capacity.
    package struct Rate: Sendable, Equatable {
        /// Requests per second, above 0.
        package var perSecond: Double
        /// Maximum burst of requests, at least 1.
        package var burst: Double

        package init(perSecond: Double, burst: Double) {
            self.perSecond = perSecond
            self.burst = max(1, burst)
        }
    }

    private struct Bucket {
        package var tokens: Double
        package var updated: MonotonicTime
    }

    private struct Buckets {
        package var ofUser: [Int64: Bucket] = [:]
        /// With this many, full buckets are discarded before a new one is created: they contain no information.
        package var sweepAt = 10_000
    }

    private let rate: Rate
    private let buckets = Locked(Buckets())

    /// Number of buckets.
    package var count: Int { buckets.withLock { $0.ofUser.count } }

    package init(_ rate: Rate) {
        self.rate = rate
    }

    /// Takes one token of a user.
    ///
    /// - Returns: `nil` when there was one, else the whole seconds until there is, at least 1.
    package func take(userID: Int64, now: MonotonicTime) -> Int? {
        buckets.withLock { buckets in
            if buckets.ofUser[userID] == nil, buckets.ofUser.count >= buckets.sweepAt {
                buckets.ofUser = buckets.ofUser.filter { tokens(in: $0.value, at: now) < rate.burst }
                buckets.sweepAt = max(10_000, buckets.ofUser.count * 2)
            }
            let available = buckets.ofUser[userID].map { tokens(in: $0, at: now) } ?? rate.burst
            guard available >= 1 else {
                buckets.ofUser[userID] = Bucket(tokens: available, updated: now)
                return max(1, Int(((1 - available) / rate.perSecond).rounded(.up)))
            }
            buckets.ofUser[userID] = Bucket(tokens: available - 1, updated: now)
            return nil
        }
    }

    private func tokens(in bucket: Bucket, at now: MonotonicTime) -> Double {
        let seconds = max(0, (now - bucket.updated).inSeconds)
        return min(rate.burst, bucket.tokens + seconds * rate.perSecond)
    }
}
