import Dispatch
import Glibc
import Systemd

/// SIGHUP: reloads what comes from files, one after the other, and reports begin and end to the service manager.
///
/// Owned by `Server.run`; the reloads run on a queue of its own.
package struct HangUpSignal {
    private let source: any DispatchSourceSignal

    package init(reportingTo manager: ServiceManager, _ reloads: [@Sendable () -> Void]) {
        signal(SIGHUP, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: DispatchQueue(label: "lux.hangup"))
        source.setEventHandler { @Sendable in
            manager.report(.reloading)
            for reload in reloads { reload() }
            manager.report(.ready)
        }
        source.resume()
    }

    package func stop() {
        source.cancel()
    }
}
