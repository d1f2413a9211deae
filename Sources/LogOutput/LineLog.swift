import Logging

/// The log of a process: a style, a level and a sink.
package final class LineLog: Sendable {
    /// How its lines look.
    package let style: LogStyle
    /// From which level on they are written.
    package let threshold: LogLevelSwitch
    private let sink: LogSink

    /// Creates a log.
    ///
    /// - Parameters:
    ///   - descriptor: where its lines go.
    ///   - bufferSize: how many bytes may wait there while the reader stalls.
    package init(style: LogStyle, level: Logger.Level, descriptor: Int32, bufferSize: Int = 4_194_304) {
        self.style = style
        threshold = LogLevelSwitch(level)
        sink = LogSink(descriptor: descriptor, limit: bufferSize) { count in
            var line = LogLine(style, .now(), .warning, "log lines dropped")
            line.field("count", Int64(clamping: count))
            return line.end()
        }
    }

    /// A swift-log logger that writes here.
    package var logger: Logger {
        Logger(label: "log") { _ in LineLogHandler(log: self) }
    }

    /// How many lines were dropped so far.
    package var droppedLines: UInt64 { sink.droppedLines }

    /// Writes a line, if its level is written.
    package func write(_ level: Logger.Level, _ message: String, _ fields: (inout LogLine) -> Void) {
        guard level >= threshold.level else { return }
        writeAlways(level, message, fields)
    }

    /// Writes a line whatever the level is.
    package func writeAlways(_ level: Logger.Level, _ message: String, _ fields: (inout LogLine) -> Void) {
        var line = LogLine(style, .now(), level, message)
        fields(&line)
        sink.append(line.end())
    }

    /// Writes text that is not a line of the log, in order with the lines.
    package func write(text: String) {
        sink.append(Array(text.utf8))
    }

    /// Waits until everything is written, but not for longer than `limit`.
    ///
    /// - Returns: whether it is.
    @discardableResult
    package func flush(within limit: Duration) -> Bool {
        sink.flush(within: limit)
    }
}
