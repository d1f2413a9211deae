import Metrics
import Testing

@Suite struct MetricsTextTests {
    @Test func `writes what Prometheus reads`() {
        var histogram = Histogram()
        for seconds in [0.0005, 0.001, 0.003, 0.2, 60] { histogram.observe(seconds) }
        var text = MetricsText()
        text.counter("a_total", "All of them.", [([("x", "q\"\\\n"), ("y", "2")], 7), ([], 0)])
        text.gauge("b", "Now.", 1.5)
        text.histogram("c_seconds", "How long.", [([("r", "/")], histogram)])
        #expect(
            String(decoding: text.bytes, as: UTF8.self) == """
                # HELP a_total All of them.
                # TYPE a_total counter
                a_total{x="q\\"\\\\\\n",y="2"} 7
                a_total 0
                # HELP b Now.
                # TYPE b gauge
                b 1.5
                # HELP c_seconds How long.
                # TYPE c_seconds histogram
                c_seconds_bucket{r="/",le="0.001"} 2
                c_seconds_bucket{r="/",le="0.0025"} 2
                c_seconds_bucket{r="/",le="0.005"} 3
                c_seconds_bucket{r="/",le="0.01"} 3
                c_seconds_bucket{r="/",le="0.025"} 3
                c_seconds_bucket{r="/",le="0.05"} 3
                c_seconds_bucket{r="/",le="0.1"} 3
                c_seconds_bucket{r="/",le="0.25"} 4
                c_seconds_bucket{r="/",le="0.5"} 4
                c_seconds_bucket{r="/",le="1"} 4
                c_seconds_bucket{r="/",le="2.5"} 4
                c_seconds_bucket{r="/",le="5"} 4
                c_seconds_bucket{r="/",le="10"} 4
                c_seconds_bucket{r="/",le="+Inf"} 5
                c_seconds_sum{r="/"} 60.2045
                c_seconds_count{r="/"} 5

                """)
    }

    @Test func `adds histograms`() {
        var (one, other, both) = (Histogram(), Histogram(), Histogram())
        for (index, seconds) in [0.002, 0.7, 3].enumerated() {
            if index == 0 { one.observe(seconds) } else { other.observe(seconds) }
            both.observe(seconds)
        }
        one.add(other)
        #expect(one.counts == both.counts)
        #expect(one.count == 3)
        #expect(abs(one.sum - both.sum) < 1e-9)
    }
}
