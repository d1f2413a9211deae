import Logging

/// The log of a process: a style, a level and a sink.
public final class LineLog: Sendable {
    /// How its lines look.
    public let style: LogStyle
    /// From which level on they are written.
    public let threshold: LogLevelSwitch
    private let sink: LogSink

    /// Makes a log.
    ///
    /// - Parameters:
    ///   - descriptor: where its lines go.
    ///   - bufferSize: how many bytes may wait there while the reader stalls.
    public init(style: LogStyle, level: Logger.Level, descriptor: Int32, bufferSize: Int = 4_194_304) {
        self.style = style
        threshold = LogLevelSwitch(level)
        sink = LogSink(descriptor: descriptor, limit: bufferSize) { count in
            var line = LogLine(style, .now(), .warning, "log lines dropped")
            line.field("count", Int64(clamping: count))
            return line.end()
        }
    }

    /// A swift-log logger that writes here.
    public var logger: Logger {
        Logger(label: "log") { _ in LineLogHandler(log: self) }
    }

    /// How many lines were dropped so far.
    public var droppedLines: UInt64 { sink.droppedLines }

    /// Writes a line, if its level is written.
    public func write(_ level: Logger.Level, _ message: String, _ fields: (inout LogLine) -> Void) {
        guard level >= threshold.level else { return }
        writeAlways(level, message, fields)
    }

    /// Writes a line whatever the level is.
    public func writeAlways(_ level: Logger.Level, _ message: String, _ fields: (inout LogLine) -> Void) {
        var line = LogLine(style, .now(), level, message)
        fields(&line)
        sink.append(line.end())
    }

    /// Writes text that is no line of the log, in order with the lines.
    public func write(text: String) {
        sink.append(Array(text.utf8))
    }

    /// Waits until everything is written, but not for longer than `limit`.
    ///
    /// - Returns: whether it is.
    @discardableResult
    public func flush(within limit: Duration) -> Bool {
        sink.flush(within: limit)
    }
}
