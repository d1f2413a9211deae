import Logging

/// All field names of the log. Each has one meaning in every line; docs/configuration.md explains them.
package enum LogField: String, CaseIterable {
    // In every line.
    case time, level, message
    // Of requests.
    case requestID = "request_id"
    case client, method, route, status
    case duration = "duration_ms"
    case userID = "user_id"
    case cause
    case traceID = "trace_id"
    case spanID = "span_id"
    // Of events.
    case statement, host, port, signal, clean, migration, setting, value, state, to, count
    case logLevel = "log_level"
}

extension Logger {
    /// Writes an event with fields.
    package func log(_ level: Level, _ message: Message, _ fields: [LogField: MetadataValue]) {
        guard logLevel <= level else { return }
        log(level: level, message, metadata: Metadata(uniqueKeysWithValues: fields.map { ($0.rawValue, $1) }))
    }
}
