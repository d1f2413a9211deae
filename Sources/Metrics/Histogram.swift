/// How often a duration lay below each of some bounds, and their sum: a Prometheus histogram.
package struct Histogram: Sendable, Equatable {
    /// Upper bounds of the buckets in seconds, from a millisecond to ten seconds: what a request may take at all.
    package static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    /// How many lay in each bucket and in none before it; the last has no bound.
    package private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    /// All of them together, in seconds.
    package private(set) var sum = 0.0

    /// Nothing observed yet.
    package init() {}

    /// How many there were.
    package var count: UInt64 { counts.reduce(0, +) }

    /// Counts a duration.
    ///
    /// - Parameter seconds: 0 or more.
    package mutating func observe(_ seconds: Double) {
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        sum += seconds
    }

    /// Counts a duration.
    package mutating func observe(_ duration: Duration) {
        observe(Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
    }

    /// Adds what another one has counted.
    package mutating func add(_ other: Histogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum += other.sum
    }
}
