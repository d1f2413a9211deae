import Concurrency
import LUX

/// The provider for development: writes a log line and sends nothing.
package struct LogNotifier: AlimtalkNotifier {
    package let name = "log"
    private let write: @Sendable (_ userID: Int64, _ maskedPhoneNumber: String) -> Void

    /// - Parameter write: called once for each message.
    package init(write: @escaping @Sendable (_ userID: Int64, _ maskedPhoneNumber: String) -> Void) {
        self.write = write
    }

    /// Writes the line; always accepted.
    package func send(_ notification: AlimtalkMessage, deadline: MonotonicTime?) async -> MessageOutcome {
        write(notification.userID, notification.phoneNumber.masked)
        return .accepted(messageID: nil)
    }
}
