import Bytes
import CCurl
import FoundationEssentials

/// The head of a reply, read line by line, as far as it is used.
struct ReplyHead {
    /// Whether the empty line after the last field was received.
    private(set) var isComplete = false
    private var retryAfter: String?
    private var date: String?

    /// Reads a line; an interim response (1xx) resets everything.
    mutating func take(_ line: String) {
        let line = line.trimmingWhitespace()
        if line.hasPrefix("HTTP/") {
            self = ReplyHead()
        } else if line.isEmpty {
            isComplete = true
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].trimmingWhitespace()
            switch line[..<colon].lowercased() {
            case "retry-after": retryAfter = value
            case "date": date = value
            default: break
            }
        }
    }

    /// `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3), which counts from the provider's own clock where it
    /// sends its `Date`. At most a day.
    func pause(now: Date) -> Duration? {
        guard let retryAfter, let first = retryAfter.utf8.first else { return nil }
        let day = 86_400
        if first.isDigit {
            guard retryAfter.utf8.isDecimal else { return nil }
            return .seconds(min(Int(retryAfter) ?? day, day))
        }
        guard let end = Self.seconds(retryAfter) else { return nil }
        let start = date.flatMap(Self.seconds) ?? Int(now.timeIntervalSince1970)
        return .seconds(min(max(0, end - start), day))
    }

    /// Seconds since the Unix epoch of an HTTP date in any of its three forms (RFC 9110 section 5.6.7).
    private static func seconds(_ date: String) -> Int? {
        guard date.utf8.first.map({ !$0.isDigit && $0 != 0x2B && $0 != 0x2D }) == true else {
            return nil
        }
        let seconds = curl_getdate(date, nil)
        return seconds == -1 ? nil : seconds
    }
}
