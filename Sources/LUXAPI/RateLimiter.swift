import EventLoop
import Synchronization

/// A token bucket for each user, shared by all loops.
public final class RateLimiter: Sendable {
    /// Requests for each second that a bucket is filled with, and how many it holds.
    public struct Rate: Sendable, Equatable {
        /// Requests per second, above 0.
        public var perSecond: Double
        /// Requests that may come at once, at least 1.
        public var burst: Double

        /// Makes a rate.
        public init(perSecond: Double, burst: Double) {
            self.perSecond = perSecond
            self.burst = max(1, burst)
        }
    }

    private struct Bucket {
        var tokens: Double
        var updated: MonotonicTime
    }

    private let rate: Rate
    private let buckets = Mutex<[Int64: Bucket]>([:])

    /// From this many on, full buckets, which say nothing, are thrown out before a new one is made.
    private static let sweepThreshold = 10_000

    /// Makes a limiter with full buckets.
    public init(_ rate: Rate) {
        self.rate = rate
    }

    /// Takes one token of a user.
    ///
    /// - Returns: `nil` when there was one, else the whole seconds until there is, at least 1.
    public func take(userID: Int64, now: MonotonicTime) -> Int? {
        buckets.withLock { buckets in
            if buckets[userID] == nil, buckets.count >= Self.sweepThreshold {
                buckets = buckets.filter { tokens(in: $0.value, at: now) < rate.burst }
            }
            let available = buckets[userID].map { tokens(in: $0, at: now) } ?? rate.burst
            guard available >= 1 else {
                buckets[userID] = Bucket(tokens: available, updated: now)
                return max(1, Int(((1 - available) / rate.perSecond).rounded(.up)))
            }
            buckets[userID] = Bucket(tokens: available - 1, updated: now)
            return nil
        }
    }

    private func tokens(in bucket: Bucket, at now: MonotonicTime) -> Double {
        let seconds = max(0, (now - bucket.updated).inSeconds)
        return min(rate.burst, bucket.tokens + seconds * rate.perSecond)
    }
}
