import Concurrency
import Metrics
import Testing

@Suite struct RenderedMetricsTests {
    @Test func `a rendering that takes longer does not replace a later one`() {
        let metrics = RenderedMetrics()
        let now = MonotonicTime.now()
        func scrape(_ number: Double, during: () -> Void = {}) -> String {
            let text = metrics.text(at: now) {
                during()
                var text = MetricsText()
                text.gauge("number", "Of the rendering.", number)
                return text
            }
            return String(decoding: text.bytes, as: UTF8.self)
        }
        for _ in 0..<Int(RenderedMetrics.burst) - 2 { _ = scrape(0) }
        var second = ""
        let first = scrape(1) { second = scrape(2) }
        #expect(first.contains("number 1") && second.contains("number 2"))
        #expect(scrape(3).contains("number 2"), "the latest text")
    }

    @Test func `a busy scraper causes a hundred renderings a second, a usual one a rendering each`() {
        let metrics = RenderedMetrics()
        var (renderings, now) = (0, MonotonicTime.now())
        func scrape() -> String {
            let text = metrics.text(at: now) {
                renderings += 1
                var text = MetricsText()
                text.gauge("number", "Of the rendering.", Double(renderings))
                return text
            }
            return String(decoding: text.bytes, as: UTF8.self)
        }
        for _ in 0..<100_000 {
            now = now + .microseconds(100)
            _ = scrape()
        }
        #expect((1_195...1_205).contains(renderings), "200 at first, then 100 in each of ten seconds: \(renderings)")
        #expect(scrape().contains("number \(renderings)"), "the latest text")
        // Later each scrape is as of now again.
        now = now + .seconds(15)
        for _ in 0..<10 {
            let before = renderings
            #expect(scrape().contains("number \(before + 1)"))
            now = now + .seconds(15)
        }
    }
}
