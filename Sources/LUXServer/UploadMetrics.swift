import LUXStore
import Metrics

extension [UploadStatistics.Values] {
    /// Writes the sum over all loops.
    func write(to text: inout MetricsText) {
        func sum(_ value: (UploadStatistics.Values) -> UInt64) -> UInt64 { map(value).reduce(0, +) }
        text.histogram(
            "lux_upload_batch_uploads", "Uploads that share a transaction.", bounds: UploadStatistics.batchBounds,
            counts: (0...UploadStatistics.batchBounds.count).map { bucket in sum { $0.batches[bucket] } },
            sum: sum(\.uploads))
        var waits = Histogram()
        for values in self { waits.add(values.waits) }
        text.histogram(
            "lux_upload_wait_seconds", "Time from the arrival of an upload to its first transaction.", [([], waits)])
        text.counter(
            "lux_upload_rejections_total", "Uploads over their account's share.", [([], sum(\.rejected))])
        text.counter(
            "lux_upload_locked_total", "How often an upload waited for rows that were locked.", [([], sum(\.locked))])
        text.counter(
            "lux_upload_splits_total", "Transactions repeated in parts after the database rejected a statement.",
            [([], sum(\.split))])
        text.gauge("lux_uploads_unfinished", "Uploads that are not stored yet.", Double(map(\.unfinished).reduce(0, +)))
        text.gauge("lux_upload_oldest_seconds", "Age of the oldest of them.", map(\.oldest).max() ?? 0)
    }
}
