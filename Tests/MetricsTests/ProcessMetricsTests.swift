import Concurrency
import Foundation
import Testing

@testable import Metrics

@Suite struct ProcessMetricsTests {
    private func openDescriptors(_ metrics: ProcessMetrics, at now: MonotonicTime) throws -> Int {
        var text = MetricsText()
        metrics.write(to: &text, now: now)
        let line = try #require(
            String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").first {
                $0.hasPrefix("process_open_fds ")
            })
        return try #require(Int(line.dropFirst("process_open_fds ".count)))
    }

    @Test func `a scrape never lists the descriptors itself, and they are listed once in an interval`() async throws {
        let counts = Locked<[Bool]>([])
        let scraping = Locked<pthread_t?>(nil)
        let metrics = ProcessMetrics(countDescriptors: {
            counts.withLock { counts in
                let isScrape = scraping.withLock { $0.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
                counts.append(isScrape)
                return 100 * counts.count
            }
        })
        let start = MonotonicTime.now()
        func scrape(_ time: MonotonicTime) throws -> Int {
            scraping.withLock { $0 = pthread_self() }
            defer { scraping.withLock { $0 = nil } }
            return try openDescriptors(metrics, at: time)
        }
        for _ in 0..<1_000 { #expect(try scrape(start) == 100) }
        #expect(counts.withLock { $0.count } == 1, "only at the start")
        let later = start + ProcessMetrics.descriptorInterval + .seconds(1)
        for _ in 0..<1_000 { _ = try scrape(later) }
        for _ in 0..<2_000 where try scrape(later) == 100 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try scrape(later) == 200)
        #expect(counts.withLock { $0 } == [false, false])
    }

    @Test func `counts the descriptors that are open`() {
        let before = ProcessMetrics.listDescriptors()
        let opened = (0..<50).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        defer { opened.forEach { close($0) } }
        // Other tests open and close some meanwhile.
        #expect(ProcessMetrics.listDescriptors() > before + 20)
    }
}
