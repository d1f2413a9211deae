import Foundation

/// The sanitizer that the tests and the servers that they start are built with, if they are (`Scripts/test --sanitize=…`).
///
/// It keeps freed memory for a while and slows all code, so limits of memory and time are wider: ThreadSanitizer needs 5 to
/// 10 times the memory and 5 to 15 times the time (https://clang.llvm.org/docs/ThreadSanitizer.html).
package enum Sanitizer {
    package static let isOn = ProcessInfo.processInfo.environment.keys.contains { $0.hasSuffix("SAN_OPTIONS") }

    /// What limits are multiplied by.
    package static let factor = isOn ? 6 : 1

    /// A limit of time.
    package static func seconds(_ limit: Double) -> Double { limit * Double(factor) }

    /// A limit of time.
    package static func limit(_ limit: Duration) -> Duration { limit * factor }
}
