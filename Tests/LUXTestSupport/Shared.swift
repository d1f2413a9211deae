import Synchronization

/// A number that several threads change.
package final class Counter: Sendable {
    private let count = Atomic(0)

    package init() {}

    package var value: Int { count.load(ordering: .sequentiallyConsistent) }

    package func increment() { count.add(1, ordering: .sequentiallyConsistent) }
}

/// Set once, seen by all.
package final class Flag: Sendable {
    private let value = Atomic(false)

    package init() {}

    package var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }

    package func set() { value.store(true, ordering: .sequentiallyConsistent) }
}
