import Dispatch
import Concurrency
import Glibc
import JWT
import Logging
import LUXSettings

/// Reloads the verifier's keys from a file when ``reload()`` is called and when the file has changed.
package struct TokenKeyReloader {
    /// How often the file is looked at.
    private static let interval = DispatchTimeInterval.seconds(1)

    /// File identity used to detect changes; reading it costs one stat(2).
    /// With the time of change, which a chmod(2) moves too: a file that could not be read becomes readable without a new
    /// content.
    private struct Stamp: Equatable {
        let device: UInt
        let file: UInt
        let size: Int
        let modified: [Int]
        let changed: [Int]

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = UInt(status.st_dev)
            file = UInt(status.st_ino)
            size = Int(status.st_size)
            modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
            changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
        }
    }

    private struct Looks {
        /// As the file was when it was read.
        package var read: Stamp?
        /// Why the last attempt failed; `nil` when it did not. It is repeated at each look, and reported once.
        var failure: String?
        /// As it was at the last look.
        package var last: Stamp?
    }

    /// Reads the file again. Blocks until that is done; from any thread.
    package let reload: @Sendable () -> Void
    private let timer: any DispatchSourceTimer

    /// Watches what there is to watch; `nil` for keys that are in no file.
    ///
    /// The file is read once at once, so that nothing is missed between the start's reading and the first look.
    package init?(keys: TokenKeys, verifier: Locked<JWTVerifier>, logger: Logger) {
        guard let path = keys.file else { return nil }
        let queue = DispatchQueue(label: "lux.tokenkeys")
        let looks = Locked(Looks())
        let reload = { @Sendable in
            // Before the reading: a change in between makes a difference at the next look.
            let stamp = Stamp(path)
            looks.withLock { looks in
                looks.read = stamp
                looks.last = stamp
            }
            do throws(TokenKeyError) {
                let loaded = try keys.load { warning in
                    logger.log(.warning, "a key of the JWKS is not used", [.cause: "\(warning)"])
                }
                verifier.withLock { $0.keys = loaded }
                looks.withLock { $0.failure = nil }
                logger.log(
                    .info, "token keys loaded", [.count: .stringConvertible(loaded.count)])
            } catch {
                let isNew = looks.withLock { looks in
                    defer { looks.failure = error.description }
                    return looks.failure != error.description
                }
                guard isNew else { return }
                logger.log(.error, "cannot reload token keys; keeping the previous ones", [.cause: "\(error)"])
            }
        }
        queue.sync(execute: reload)
        self.reload = { queue.sync(execute: reload) }
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + Self.interval, repeating: Self.interval)
        timer.setEventHandler { @Sendable in
            let stamp = Stamp(path)
            // A file that is being written is left alone until it has stayed the same from one look to the next.
            let isDue = looks.withLock { looks in
                defer { looks.last = stamp }
                return (stamp != looks.read || looks.failure != nil) && stamp == looks.last
            }
            if isDue { reload() }
        }
        timer.resume()
    }

    package func stop() {
        timer.cancel()
    }
}
