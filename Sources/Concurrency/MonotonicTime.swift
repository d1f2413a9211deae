import Glibc

/// A reading of the monotonic clock (`CLOCK_MONOTONIC`, clock_gettime(2)); unaffected by changes of the wall clock.
package struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Nanoseconds since an arbitrary point in the past.
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The time now.
    package static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// Blocks the calling thread until this time. Signals do not cut it short, as they do nanosleep(2).
    package func sleep() {
        while true {
            let rest = (self - .now()).wholeNanoseconds
            guard rest > 0 else { return }
            var time = timespec(tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
            nanosleep(&time, nil)
        }
    }

    /// A later (or, with a negative duration, earlier) time; saturates instead of overflowing.
    package static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return MonotonicTime(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    /// The time from `earlier` to `later`.
    package static func - (later: MonotonicTime, earlier: MonotonicTime) -> Duration {
        .nanoseconds(later.nanoseconds &- earlier.nanoseconds)
    }

    /// Whether this time is before `other`.
    package static func < (time: MonotonicTime, other: MonotonicTime) -> Bool {
        time.nanoseconds < other.nanoseconds
    }
}

extension Duration {
    /// Whole nanoseconds, saturating at the range of `Int64` (292 years).
    package var wholeNanoseconds: Int64 {
        // Up to nine seconds without a division of 128 bits.
        if let attoseconds = Int64(exactly: attoseconds) { return attoseconds / 1_000_000_000 }
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carried ? (seconds < 0 ? .min : .max) : sum
    }

    /// Seconds as a floating-point number, for logs.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
