import Concurrency
import Metrics
import Testing

@Suite struct RenderedMetricsTests {
    @Test func `a client that scrapes all the time causes ten renderings a second, and a usual one a rendering each`() {
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
        #expect((115...125).contains(renderings), "20 at first, then 10 in each of ten seconds: \(renderings)")
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
