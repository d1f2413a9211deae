import Logging
import Synchronization

/// The level from which on lines are written, which all threads read and one may change.
package final class LogLevelSwitch: Sendable {
    private let index: Atomic<Int>

    /// Begins with a level.
    package init(_ level: Logger.Level) {
        index = Atomic(Self.index(of: level))
    }

    /// The level now.
    package var level: Logger.Level { Logger.Level.allCases[index.load(ordering: .relaxed)] }

    /// Moves by one step; at `trace` and `critical` it stays.
    ///
    /// - Returns: the level before and after.
    @discardableResult
    package func step(moreVerbose: Bool) -> (before: Logger.Level, after: Logger.Level) {
        let levels = Logger.Level.allCases
        let before = index.load(ordering: .relaxed)
        let after = moreVerbose ? max(0, before - 1) : min(levels.count - 1, before + 1)
        index.store(after, ordering: .relaxed)
        return (levels[before], levels[after])
    }

    private static func index(of level: Logger.Level) -> Int {
        Logger.Level.allCases.firstIndex(of: level) ?? 0
    }
}
