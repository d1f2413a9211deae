import Dispatch
import Glibc
import HTTP
import Logging
import LUXSettings
import TLS

/// Gives the server a new TLS context on SIGHUP, and by itself so often that the keys of session tickets stay young.
package struct CertificateReloader {
    /// Rotation period of session ticket keys.
    private static let rotation = DispatchTimeInterval.seconds(12 * 3_600)

    private let hangUp: any DispatchSourceSignal
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
        hangUp = DispatchSource.makeSignalSource(signal: SIGHUP, queue: queue)
        hangUp.setEventHandler(handler: reload)
        hangUp.resume()
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + Self.rotation, repeating: Self.rotation)
        timer.setEventHandler(handler: reload)
        timer.resume()
    }

    package func stop() {
        hangUp.cancel()
        timer.cancel()
    }
}
