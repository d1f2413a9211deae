import Concurrency
import JWT
import LUXSettings
import Logging

/// Reloads the verifier's keys from a file when ``reload`` is called and when the file has changed; `nil` for keys that are
/// in no file. Owned by `Server.run`; runs on a queue of its own.
package struct TokenKeyReloader {
    /// Reads the file again. Blocks until that is done; from any thread.
    package var reload: @Sendable () -> Void { watcher.reload }
    private let watcher: FileWatcher

    /// The file is loaded once immediately, so that no change between the start and the first check is missed.
    package init?(keys: TokenKeys, verifier: Locked<JWTVerifier>, logger: Logger) {
        guard let path = keys.file else { return nil }
        watcher = FileWatcher(
            "lux.tokenkeys", [path], since: [FileStamp(path)],
            load: { _ in
                do throws(TokenKeyError) {
                    let loaded = try keys.load {
                        logger.log(.warning, "a key of the JWKS is not used", [.cause: "\($0)"])
                    }
                    verifier.withLock { $0.keys = loaded }
                    logger.log(.info, "token keys loaded", [.count: .stringConvertible(loaded.count)])
                    return nil
                } catch {
                    return error.description
                }
            },
            onFailure: {
                logger.log(.error, "cannot reload token keys; keeping the previous ones", [.cause: "\($0)"])
            })
        watcher.reload()
    }

    package func stop() {
        watcher.stop()
    }
}
