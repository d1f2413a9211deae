import Synchronization

/// Numbers that no other test of this process uses.
package enum Unique {
    private static let last = Atomic<Int>(0)

    package static func number() -> Int {
        last.add(1, ordering: .relaxed).newValue
    }
}
