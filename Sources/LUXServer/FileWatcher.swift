import Concurrency
import Dispatch
import Glibc

/// File identity used to detect changes; reading it costs one stat(2). Links are followed, so that the exchange of the
/// `..data` link of a Kubernetes volume is a change. The time of change moves with chmod(2) too: a file that could not be
/// read becomes readable without a new content.
package struct FileStamp: Equatable, Sendable {
    private let device: UInt
    private let file: UInt
    private let mode: mode_t
    private let size: Int
    private let modified: [Int]
    private let changed: [Int]

    /// `nil` for a file that does not exist.
    package init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        file = UInt(status.st_ino)
        mode = status.st_mode
        size = Int(status.st_size)
        modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
        changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }

    package static func all(_ paths: [String]) -> [FileStamp?] { paths.map { FileStamp($0) } }
}

/// Loads files again when one of them has changed, while the last attempt failed, and on request.
///
/// Owned by a reloader; checks and loads run on a queue of its own. A failure is reported once, until it changes or a load is
/// requested.
struct FileWatcher {
    /// Interval between two checks of the files.
    private static let interval = DispatchTimeInterval.seconds(1)

    private struct Looks {
        /// The state of the files when they were last loaded.
        var loaded: [FileStamp?]
        /// Their state at the last check.
        var last: [FileStamp?]
        /// Why the last attempt failed; `nil` when it did not.
        var failure: String?
    }

    /// Loads the files. Blocks until that is done; from any thread.
    let reload: @Sendable () -> Void
    private let timer: any DispatchSourceTimer

    /// Starts to watch.
    ///
    /// - Parameters:
    ///   - since: the files as they were before they were last loaded.
    ///   - load: loads them, on request or because they have changed; returns the reason for a failure, after which each check retries.
    ///   - onFailure: receives a failure that has not been reported yet.
    init(
        _ label: String, _ paths: [String], since stamps: [FileStamp?],
        load: @escaping @Sendable (_ isRequested: Bool) -> String?, onFailure: @escaping @Sendable (String) -> Void
    ) {
        let queue = DispatchQueue(label: label)
        let looks = Locked(Looks(loaded: stamps, last: stamps))
        let attempt = { @Sendable (isRequested: Bool) in
            // Before reading: a change in between is seen at the next check.
            let stamps = FileStamp.all(paths)
            let failure = load(isRequested)
            let isNew = looks.withLock { looks in
                defer { looks = Looks(loaded: stamps, last: stamps, failure: failure) }
                return looks.failure != failure
            }
            if let failure, isNew || isRequested { onFailure(failure) }
        }
        reload = { queue.sync { attempt(true) } }
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + Self.interval, repeating: Self.interval)
        timer.setEventHandler { @Sendable in
            let stamps = FileStamp.all(paths)
            // Files that are being written are left alone until they have not changed between two checks.
            let isDue = looks.withLock { looks in
                defer { looks.last = stamps }
                return (stamps != looks.loaded || looks.failure != nil) && stamps == looks.last
            }
            if isDue { attempt(false) }
        }
        timer.resume()
    }

    func stop() {
        timer.cancel()
    }
}
