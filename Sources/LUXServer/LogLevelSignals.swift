import Dispatch
import Glibc
import LogOutput
import Logging

/// SIGUSR1 raises the verbosity of the log by one level, SIGUSR2 lowers it. Each change is logged at any level.
package struct LogLevelSignals {
    private let sources: [any DispatchSourceSignal]

    package init(_ log: LineLog) {
        let queue = DispatchQueue(label: "lux.loglevel")
        sources = [SIGUSR1, SIGUSR2].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                let (_, level) = log.threshold.step(moreVerbose: number == SIGUSR1)
                log.writeAlways(.notice, "log level") { $0.field(LogField.logLevel.rawValue, level.rawValue) }
            }
            source.resume()
            return source
        }
    }

    package func stop() {
        for source in sources { source.cancel() }
    }
}
