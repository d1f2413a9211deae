import Logging

/// Brings the events of swift-log into a ``LineLog``, with their metadata as fields in the order of their names.
struct LineLogHandler: LogHandler {
    let log: LineLog
    var metadata: Logger.Metadata = [:]
    private var ownLevel: Logger.Level?

    init(log: LineLog) {
        self.log = log
    }

    /// The log's level, unless this logger has been set one of its own.
    var logLevel: Logger.Level {
        get { ownLevel ?? log.threshold.level }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let values = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        log.writeAlways(event.level, event.message.description) { line in
            for (key, value) in values {
                switch value {
                case .stringConvertible(let number as Int): line.field(key, Int64(number))
                case .stringConvertible(let number as Int64): line.field(key, number)
                case .stringConvertible(let truth as Bool): line.field(key, truth)
                default: line.field(key, "\(value)")
                }
            }
        }
    }
}
