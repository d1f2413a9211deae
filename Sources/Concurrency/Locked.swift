import Glibc

/// A value protected by a mutex.
///
/// A `pthread_mutex_t`, not the standard library's `Mutex`: ThreadSanitizer does not see that one's slow path and reports
/// races where there are none, which would hide those that are.
///
/// `@unchecked Sendable`: the value is touched under the lock only.
package final class Locked<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Held by pointer: an access to a stored property of a class lasts, for the sanitizer, until after the unlock.
    private let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)

    /// Creates a lock that takes ownership of `value`.
    package init(_ value: sending Value) {
        self.value.initialize(to: value)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// Calls `body` with the value while no other thread has it. Not to be called from within `body`.
    package func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
