import Bytes
import Glibc

/// A moment in UTC as in RFC 3339, with milliseconds: `2026-11-25T12:34:56.789Z`.
struct LogTime {
    private let seconds: Int
    private let milliseconds: Int

    /// - Parameter seconds: since the Unix epoch, not before it.
    init(seconds: Int, milliseconds: Int) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    static func now() -> LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    func append(to bytes: inout [UInt8]) {
        let day = Int64(seconds / 86_400)
        bytes.append(rfc3339: day, milliseconds: Int64(seconds % 86_400 * 1_000 + milliseconds))
    }
}
