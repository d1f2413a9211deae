/// A generator of random numbers that returns the same numbers for the same seed (Steele, Lea, Flood: SplitMix).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64, stream: UInt64) {
        state = seed &+ stream &* 0x9e37_79b9_7f4a_7c15
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// True with this probability.
    mutating func happens(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
}

/// How a phone writes a `treatment_date`.
package enum PhoneZone: Sendable, Equatable {
    /// Without an offset: the wall clock of the server's zone, nine hours ahead of UTC.
    case server
    /// With an offset of so many hours.
    case offset(hours: Int)

    var secondsAhead: Int64 {
        switch self {
        case .server: 9 * 3_600
        case .offset(let hours): Int64(hours) * 3_600
        }
    }
}

/// What is particular about one simulated phone and its device; the same for the same seed and number.
package struct PhoneProfile: Sendable, Equatable {
    /// When it wakes, as a part of the evening: 0 to 1.
    package var wake: Double
    /// Seconds by which its clock is ahead of the true time.
    package var clockError: Int64 = 0
    package var zone = PhoneZone.server
    /// Complete logs that it could not upload yet.
    package var backlog = 0
    /// Whether the device's counter begins again at 1 after the backlog.
    package var isReset = false
    package var treatments = 1
    /// How often Bluetooth is lost during a treatment.
    package var losses = 0
    /// The last treatment is never completed.
    package var isInterrupted = false
    /// The temporary record is sent once more after its log is complete.
    package var repeatsLate = false
    /// The network breaks right after the first transmission of an upload.
    package var losesResponse = false

    package init(wake: Double) {
        self.wake = wake
    }

    /// The profile of a phone by the shares of an ordinary evening.
    package init(seed: UInt64, number: Int) {
        var random = SeededRandom(seed: seed, stream: UInt64(number))
        wake = Evening.wake(Double.random(in: 0..<1, using: &random))
        switch Double.random(in: 0..<1, using: &random) {
        case ..<0.01: clockError = -3 * 365 * 86_400
        case ..<0.03: clockError = Int64.random(in: -43_200...43_200, using: &random)
        default: clockError = Int64.random(in: -3...3, using: &random)
        }
        switch Double.random(in: 0..<1, using: &random) {
        case ..<0.02: zone = .offset(hours: -5)
        case ..<0.04: zone = .offset(hours: 0)
        case ..<0.10: zone = .offset(hours: 9)
        default: zone = .server
        }
        // 1 to 200 logs, few more often than many.
        if random.happens(0.06) { backlog = Int(1.027 * 200.0.power(Double.random(in: 0...1, using: &random))) }
        backlog = min(backlog, 200)
        isReset = random.happens(0.01)
        treatments = random.happens(0.15) ? 0 : random.happens(0.1) ? 2 : 1
        losses = random.happens(0.25) ? Int.random(in: 1...3, using: &random) : 0
        isInterrupted = random.happens(0.04)
        repeatsLate = random.happens(0.01)
        losesResponse = random.happens(0.01)
    }
}

/// When phones wake: in the middle of the evening four times as often as at its ends.
package enum Evening {
    private static let swing = 0.6

    /// Requests a second at the peak, as a multiple of the mean.
    package static let peak = 1 + swing

    /// The part of the evening before which a share of the phones has woken.
    package static func wake(_ share: Double) -> Double {
        var (low, high) = (0.0, 1.0)
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if woken(by: middle) < share { low = middle } else { high = middle }
        }
        return low
    }

    /// The share of the phones that has woken by a part of the evening: the integral of 1 - swing * cos(2πx).
    package static func woken(by part: Double) -> Double {
        part - swing / (2 * .pi) * sine(2 * .pi * part)
    }
}
