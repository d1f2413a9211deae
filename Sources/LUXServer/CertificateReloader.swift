import Dispatch
import HTTP
import LUXSettings
import Logging
import TLS

/// Replaces the server's TLS context when ``reload`` is called, when certificate or key have changed, and periodically so
/// that the keys of session tickets stay young. Owned by `Server.run`; runs on queues of its own.
package struct CertificateReloader {
    /// Rotation period of session ticket keys.
    private static let rotation = DispatchTimeInterval.seconds(12 * 3_600)

    /// Reads both files again. Blocks until that is done; from any thread.
    package var reload: @Sendable () -> Void { watcher.reload }
    private let watcher: FileWatcher
    private let timer: any DispatchSourceTimer

    /// - Parameter since: both files as they were before the server's own credentials were read.
    package init(
        files: Configuration.TLSFiles, since: [FileStamp?], server: HTTPServer, metrics: ServerMetrics, logger: Logger
    ) {
        let watcher = FileWatcher(
            "lux.certificate", files.paths, since: since,
            load: { isRequested in
                do throws(TLSError) {
                    let credentials = try files.credentials()
                    server.use(try TLSContext(credentials))
                    metrics.observe(credentials)
                    logger.log(
                        .info, "certificate and key were read",
                        [.cause: isRequested ? "requested" : "the files have changed"])
                    return nil
                } catch {
                    return error.description
                }
            },
            onFailure: { logger.log(.error, "certificate and key stay as they were", [.cause: "\($0)"]) })
        self.watcher = watcher
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "lux.tickets"))
        timer.schedule(deadline: .now() + Self.rotation, repeating: Self.rotation)
        timer.setEventHandler(handler: watcher.reload)
        timer.resume()
    }

    package func stop() {
        timer.cancel()
        watcher.stop()
    }
}
