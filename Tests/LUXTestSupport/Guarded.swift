import Foundation

/// A value behind a lock that ThreadSanitizer sees, which it does not see of `Mutex`.
///
/// `@unchecked Sendable`: the value is read and written under the lock alone.
package final class Guarded<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    package init(_ value: Value) {
        self.value = value
    }

    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
