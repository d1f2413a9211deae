import Glibc

/// How far a long command is, on standard error if that is a terminal; else nothing is written.
package final class ProgressBar {
    private static let width = 40

    private let isShown: Bool
    private var shown = -1

    package init(isTerminal: Bool = isatty(STDERR_FILENO) == 1) {
        isShown = isTerminal
    }

    /// The line for a share from 0 to 1.
    package static func line(_ share: Double) -> String {
        let percent = Int(min(max(share, 0), 1) * 100)
        let filled = percent * width / 100
        let number = String(repeating: " ", count: 3 - String(percent).count) + String(percent)
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
            + "] \(number) %"
    }

    /// Redraws it when the percentage has changed.
    package func show(_ share: Double) {
        let percent = Int(min(max(share, 0), 1) * 100)
        guard isShown, percent != shown else { return }
        shown = percent
        StandardError.write("\r\(Self.line(share))")
    }

    /// Leaves an empty line for the next output.
    package func clear() {
        guard isShown, shown >= 0 else { return }
        StandardError.write("\r\u{1B}[K")
    }
}
