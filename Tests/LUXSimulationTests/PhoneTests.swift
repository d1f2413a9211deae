import Testing

@testable import LUXSimulation

/// The pure parts of the simulated phones.
@Suite struct PhoneTests {
    private static func script(_ change: (inout PhoneProfile) -> Void) -> [PhoneScript.Timed] {
        var profile = PhoneProfile(wake: 0)
        change(&profile)
        return PhoneScript(profile, wake: 1_000_000).steps
    }

    @Test func `sends the home screen, a temporary record after 30 s and the complete one at the end`() {
        let start: Int64 = 1_000_020
        let steps = Self.script { $0.losses = 1 }
        #expect(steps.map(\.step).prefix(3) == [.allDevices, .childDevice, .checkDevice])
        #expect(
            steps.dropFirst(3) == [
                .init(seconds: 50, step: .upload([PhoneRecord(start: start, file: nil, treatmentTime: 30)])),
                .init(seconds: 170, step: .upload([PhoneRecord(start: start, file: nil, treatmentTime: 150)])),
                .init(seconds: 620, step: .upload([PhoneRecord(start: start, file: 1, treatmentTime: 600)])),
            ])
    }

    @Test func `uploads a backlog first, with consecutive numbers, and begins again at 1 after a reset`() {
        let steps = Self.script {
            $0.backlog = 3
            $0.isReset = true
        }
        guard case .upload(let records) = steps[3].step, case .upload(let last)? = steps.last?.step else {
            Issue.record("no uploads")
            return
        }
        #expect(records.map(\.file) == [1, 2, 3])
        #expect(records.map(\.start) == records.map(\.start).sorted() && (records.last?.start ?? 0) < 1_000_000)
        #expect(last.map(\.file) == [1])
    }

    @Test func `an interrupted treatment has no complete log, a late repeat comes after it`() {
        let interrupted = Self.script { $0.isInterrupted = true }
        #expect(interrupted.last?.step == .upload([PhoneRecord(start: 1_000_020, file: nil, treatmentTime: 30)]))
        let repeated = Self.script { $0.repeatsLate = true }
        #expect(repeated.last?.step == .lateRepeat(PhoneRecord(start: 1_000_020, file: nil, treatmentTime: 30)))
    }

    @Test func `profiles are the same for a seed, and most phones are ordinary`() {
        let profiles = (0..<10_000).map { PhoneProfile(seed: 7, number: $0) }
        #expect(profiles == (0..<10_000).map { PhoneProfile(seed: 7, number: $0) })
        #expect(profiles[0] != PhoneProfile(seed: 8, number: 0))
        let backlogs = profiles.map(\.backlog).filter { $0 > 0 }
        #expect((400...800).contains(backlogs.count) && backlogs.allSatisfy { $0 <= 200 })
        #expect((backlogs.max() ?? 0) > 150 && backlogs.contains(1))
        #expect((200...400).contains(profiles.count { abs($0.clockError) > 3 }))
        #expect((50...200).contains(profiles.count { $0.isReset }))
    }

    @Test func `the peak is in the middle of the evening`() {
        let wakes = (0..<1_000).map { Evening.wake((Double($0) + 0.5) / 1_000) }
        #expect(wakes == wakes.sorted() && wakes.allSatisfy { (0...1).contains($0) })
        let middle = wakes.count { (0.45..<0.55).contains($0) }
        let begin = wakes.count { $0 < 0.1 }
        #expect(Double(middle) > 3 * Double(begin) && abs(Double(middle) / 100 - Evening.peak) < 0.1)
    }

    @Test func `writes dates in the zone of the phone`() {
        #expect(CalendarText.dateTime(1_740_120_529, .server) == "2025-02-21T15:48:49")
        #expect(CalendarText.dateTime(1_740_120_529, .offset(hours: 9)) == "2025-02-21T15:48:49+09:00")
        #expect(CalendarText.dateTime(1_740_120_529, .offset(hours: -5)) == "2025-02-21T01:48:49-05:00")
        #expect(CalendarText.dateTime(1_709_164_800, .offset(hours: 0)) == "2024-02-29T00:00:00Z")
    }

    @Test func `reads status and length of a response, whatever the case of its fields`() {
        let head = "HTTP/1.1 503 Busy\r\ncontent-LENGTH: 12\r\nX: y\r\n\r\n"
        let found = ResponseHead.read(Array((head + "{}").utf8))
        #expect(found?.status == 503 && found?.length == head.utf8.count + 12)
        #expect(ResponseHead.read(Array(head.dropLast(1).utf8)) == nil)
    }

    @Test func `percentiles are right within a sixteenth`() {
        var latencies = Latencies()
        for value in 1...10_000 { latencies.observe(Int64(value)) }
        for (part, exact) in [(0.5, 5_000.0), (0.99, 9_900.0)] {
            #expect(abs(Double(latencies.percentile(part)) / exact - 1) < 1.0 / 16)
        }
        #expect(latencies.percentile(1) == 10_000 && latencies.largest == 10_000)
    }
}
