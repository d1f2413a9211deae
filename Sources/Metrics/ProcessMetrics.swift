import Concurrency
import Dispatch
import Glibc

/// What this process uses, under the names that all Prometheus clients give it (proc(5)).
package struct ProcessMetrics: Sendable {
    /// Seconds since the Unix epoch.
    private let startTime: Double
    /// The latest count of descriptors. Listing them takes milliseconds with thousands of connections, and any client may scrape: it is
    /// done on a queue of its own, and a scrape reports the latest count, which is as old as the scrape before it.
    private let descriptors: Locked<(count: Int, time: MonotonicTime)>
    private let countDescriptors: @Sendable () -> Int
    private let queue = DispatchQueue(label: "lux.descriptors", qos: .utility)
    /// Minimum time between two counts.
    package static let descriptorInterval = Duration.seconds(5)

    /// Records when the process started, and counts its descriptors, which are few.
    ///
    /// - Parameter countDescriptors: counts the open descriptors of the process; slow.
    package init(countDescriptors: @escaping @Sendable () -> Int = ProcessMetrics.listDescriptors) {
        self.countDescriptors = countDescriptors
        descriptors = Locked((countDescriptors(), .now()))
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        startTime = Double(time.tv_sec)
    }

    /// Writes all of them. From any thread; does not block.
    package func write(to text: inout MetricsText, now: MonotonicTime = .now()) {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        text.counter(
            "process_cpu_seconds_total", "CPU time, user and system.", seconds(usage.ru_utime) + seconds(usage.ru_stime)
        )
        text.gauge("process_resident_memory_bytes", "Memory that is in RAM.", Self.residentBytes())
        text.gauge("process_open_fds", "Open file descriptors.", openDescriptors(at: now))
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        text.gauge("process_max_fds", "How many may be open.", Double(limit.rlim_cur))
        text.gauge("process_start_time_seconds", "When it started, in seconds since the Unix epoch.", startTime)
    }

    private static func residentBytes() -> Double {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ")
        guard fields.count > 1, let pages = Double(fields[1]) else { return 0 }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private func openDescriptors(at now: MonotonicTime) -> Double {
        let (count, isDue) = descriptors.withLock { latest in
            let isDue = now >= latest.time + Self.descriptorInterval
            if isDue { latest.time = now }
            return (latest.count, isDue)
        }
        if isDue {
            queue.async { [descriptors, countDescriptors] in
                let count = countDescriptors()
                descriptors.withLock { $0.count = count }
            }
        }
        return Double(count)
    }

    /// The descriptors in `/proc/self/fd`.
    package static func listDescriptors() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without `.`, `..` and the descriptor of the folder itself.
        return max(0, count - 3)
    }
}
