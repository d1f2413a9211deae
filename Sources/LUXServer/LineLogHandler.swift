import EventLoop
import Foundation
import Glibc
import JSON
import Logging

/// Writes each log event as one line on standard output: JSON, or text for people.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    let format: Configuration.LogFormat

    /// Lines of several threads must not mix, whatever their length.
    private static let lock = Locked(())

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let values = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        var line: [UInt8] = []
        switch format {
        case .json: appendJSON(event, values, to: &line)
        case .text: appendText(event, values, to: &line)
        }
        line.append(UInt8(ascii: "\n"))
        Self.lock.withLock { _ in
            var rest = line[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    private func appendJSON(
        _ event: LogEvent, _ values: [(key: String, value: Logger.MetadataValue)], to line: inout [UInt8]
    ) {
        line.append(contentsOf: "{\"time\":\"\(Self.timestamp())\",\"level\":\"\(event.level)\",\"message\":".utf8)
        JSONWriter.append(string: event.message.description, to: &line)
        for (key, value) in values {
            line.append(UInt8(ascii: ","))
            JSONWriter.append(string: key, to: &line)
            line.append(UInt8(ascii: ":"))
            switch value {
            case .stringConvertible(let number as Int): line.append(contentsOf: String(number).utf8)
            case .stringConvertible(let number as Int64): line.append(contentsOf: String(number).utf8)
            case .stringConvertible(let number as Double) where number.isFinite:
                line.append(contentsOf: String(number).utf8)
            default: JSONWriter.append(string: "\(value)", to: &line)
            }
        }
        line.append(UInt8(ascii: "}"))
    }

    private func appendText(
        _ event: LogEvent, _ values: [(key: String, value: Logger.MetadataValue)], to line: inout [UInt8]
    ) {
        line.append(contentsOf: "\(Self.timestamp()) \(event.level) \(event.message)".utf8)
        for (key, value) in values { line.append(contentsOf: " \(key)=\(value)".utf8) }
        // A line break in a value must not look like a line of its own.
        for index in line.indices where line[index] < 0x20 { line[index] = UInt8(ascii: " ") }
    }

    private static func timestamp() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let milliseconds = String(1_000 + time.tv_nsec / 1_000_000).dropFirst()
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) + ".\(milliseconds)Z"
    }
}
