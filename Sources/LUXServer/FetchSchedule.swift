import Concurrency

/// When the keys are fetched next. A pure value; time is passed in.
struct FetchSchedule {
    /// Between two fetches when nothing happens.
    static let period = Duration.seconds(300)
    /// After a failure; doubles with each further one.
    static let firstRetry = Duration.seconds(1)
    static let longestRetry = Duration.seconds(60)
    /// Between a fetch and one for an unknown key; doubles with each that returns nothing new, since any client can name keys.
    static let firstPause = Duration.seconds(1)

    private var lastFetch: MonotonicTime
    private var next: MonotonicTime
    private var retry: Duration?
    private var pause = Self.firstPause
    private var isForUnknownKey = false

    /// The first fetch is due immediately.
    init(now: MonotonicTime) {
        lastFetch = now
        next = now
    }

    func isDue(now: MonotonicTime) -> Bool { now >= next }

    /// Called when a token names an unknown key. While fetches fail, only their back-off applies.
    mutating func keyWasUnknown(now: MonotonicTime) {
        guard retry == nil, !isForUnknownKey else { return }
        let due = max(now, lastFetch + pause)
        guard due < next else { return }
        next = due
        isForUnknownKey = true
    }

    mutating func succeeded(now: MonotonicTime, changed: Bool) {
        if changed {
            pause = Self.firstPause
        } else if isForUnknownKey {
            pause = min(pause * 2, Self.period)
        }
        isForUnknownKey = false
        retry = nil
        lastFetch = now
        next = now + Self.period
    }

    mutating func failed(now: MonotonicTime) {
        let wait = retry ?? Self.firstRetry
        retry = min(wait * 2, Self.longestRetry)
        isForUnknownKey = false
        lastFetch = now
        next = now + wait
    }
}
