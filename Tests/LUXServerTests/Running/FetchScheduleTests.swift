import Concurrency
import Testing

@testable import LUXServer

/// When the keys of access tokens are fetched.
@Suite struct FetchScheduleTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    /// Seconds until the next fetch, in steps of half a second.
    private func wait(_ schedule: FetchSchedule, from now: MonotonicTime) -> Double {
        (0..<1_000).first { schedule.isDue(now: now + .milliseconds(500 * $0)) }.map { Double($0) / 2 } ?? .infinity
    }

    @Test func `fetches immediately, and then every five minutes`() {
        var schedule = FetchSchedule(now: start)
        #expect(wait(schedule, from: start) == 0)
        schedule.succeeded(now: start, changed: true)
        #expect(wait(schedule, from: start) == 300)
    }

    @Test func `backs off while fetches fail, even for tokens with unknown keys`() {
        var schedule = FetchSchedule(now: start)
        for expected in [1.0, 2, 4, 8, 16, 32, 60, 60] {
            schedule.failed(now: start)
            schedule.keyWasUnknown(now: start)
            #expect(wait(schedule, from: start) == expected)
        }
        schedule.succeeded(now: start, changed: false)
        schedule.failed(now: start)
        #expect(wait(schedule, from: start) == 1, "a success ends the back-off")
    }

    @Test func `an unknown key brings the next fetch forward, less and less while that brings nothing`() {
        var schedule = FetchSchedule(now: start)
        schedule.succeeded(now: start, changed: true)
        var now = start
        for expected in [1.0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            for _ in 0..<1_000 { schedule.keyWasUnknown(now: now) }
            #expect(wait(schedule, from: now) == expected)
            now = now + .milliseconds(Int(expected * 1_000))
            schedule.succeeded(now: now, changed: false)
        }
        schedule.succeeded(now: now, changed: true)
        schedule.keyWasUnknown(now: now)
        #expect(wait(schedule, from: now) == 1, "new keys end the back-off")
        schedule.succeeded(now: now, changed: false)
        schedule.keyWasUnknown(now: now + .seconds(200))
        #expect(schedule.isDue(now: now + .seconds(200)), "immediately when the last fetch is long ago")
    }
}
