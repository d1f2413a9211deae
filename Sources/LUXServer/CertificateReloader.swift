import Dispatch
import HTTP
import Logging
import LUXSettings
import TLS

/// Replaces the server's TLS context when ``reload()`` is called, and periodically so that the keys of session tickets stay
/// young.
package struct CertificateReloader {
    /// Rotation period of session ticket keys.
    private static let rotation = DispatchTimeInterval.seconds(12 * 3_600)

    /// Reads both files again. Blocks until that is done; from any thread.
    package let reload: @Sendable () -> Void
    private let timer: any DispatchSourceTimer

    package init(files: Configuration.TLSFiles, server: HTTPServer, metrics: ServerMetrics, logger: Logger) {
        let queue = DispatchQueue(label: "lux.certificate")
        let reload = { @Sendable in
            do throws(TLSError) {
                let credentials = try files.credentials()
                server.use(try TLSContext(credentials))
                metrics.observe(credentials)
                logger.info("certificate and key were read")
            } catch {
                logger.log(.error, "certificate and key stay as they were", [.cause: "\(error)"])
            }
        }
        self.reload = { queue.sync(execute: reload) }
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + Self.rotation, repeating: Self.rotation)
        timer.setEventHandler(handler: reload)
        timer.resume()
    }

    package func stop() {
        timer.cancel()
    }
}
