import Concurrency
import HTTP
import LUXAPI
import LogOutput
import Logging
import Postgres

/// Writes one line for each request, and one for each slow statement.
package struct RequestLog: Sendable {
    package let log: LineLog
    /// Minimum duration of what is logged as slow; `nil` for never.
    package let slow: Duration?
    private let slowMilliseconds: Double

    package init(log: LineLog, slow: Duration?) {
        self.log = log
        self.slow = slow
        slowMilliseconds = slow.map { $0.inSeconds * 1_000 } ?? .infinity
    }

    /// 5xx statuses that only the client causes: an unknown transfer coding or another version of HTTP.
    private static let statusesOfClients = [501, 505]

    package func write(_ record: RequestRecord) {
        guard !record.isConnection else { return }
        let isSlow = record.milliseconds >= slowMilliseconds
        let isServerError =
            record.isServerError || record.status >= 500 && !Self.statusesOfClients.contains(record.status)
        let level: Logger.Level = isServerError ? .error : isSlow ? .warning : .info
        log.write(level, isSlow ? "slow request" : "request") { line in
            line.field(.requestID, record.requestID)
            if let client = record.client { line.field(.client, "\(client)") }
            line.field(.method, record.method)
            line.field(.route, record.route)
            line.field(.status, Int64(record.status))
            line.field(LogField.duration.rawValue, milliseconds: record.milliseconds)
            if let userID = record.userID { line.field(.userID, userID) }
            if let cause = record.cause { line.field(.cause, cause) }
            if let trace = record.trace {
                line.field(.traceID, trace.traceID)
                line.field(.spanID, trace.spanID)
            }
        }
    }

    package func write(_ statement: SlowStatement) {
        log.write(.warning, "slow query") { line in
            if let caller = statement.caller { line.field(.requestID, caller) }
            line.field(.statement, statement.names.joined(separator: ", "))
            line.field(LogField.duration.rawValue, milliseconds: statement.duration.inSeconds * 1_000)
        }
    }
}

extension LogLine {
    fileprivate mutating func field(_ name: LogField, _ value: String) { field(name.rawValue, value) }

    fileprivate mutating func field(_ name: LogField, _ value: Int64) { field(name.rawValue, value) }
}
