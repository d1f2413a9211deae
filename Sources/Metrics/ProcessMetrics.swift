import Concurrency
import Glibc

/// What this process uses, under the names that all Prometheus clients give it (proc(5)).
package struct ProcessMetrics: Sendable {
    /// Seconds since the Unix epoch.
    private let startTime: Double
    /// The last count of descriptors. Listing them takes time with thousands of connections, and anybody may scrape.
    private let descriptors = Locked<(count: Double, time: MonotonicTime)?>(nil)
    private static let descriptorInterval = Duration.seconds(10)

    /// Remembers when the process started.
    package init() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        startTime = Double(time.tv_sec)
    }

    /// Writes them.
    package func write(to text: inout MetricsText) {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        text.counter(
            "process_cpu_seconds_total", "CPU time, user and system.", seconds(usage.ru_utime) + seconds(usage.ru_stime)
        )
        text.gauge("process_resident_memory_bytes", "Memory that is in RAM.", Self.residentBytes())
        text.gauge("process_open_fds", "Open file descriptors.", openDescriptors())
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

    private func openDescriptors() -> Double {
        let now = MonotonicTime.now()
        return descriptors.withLock { last in
            if let last, now < last.time + Self.descriptorInterval { return last.count }
            let count = Self.countDescriptors()
            last = (count, now)
            return count
        }
    }

    private static func countDescriptors() -> Double {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without `.`, `..` and the descriptor of the folder itself.
        return Double(max(0, count - 3))
    }
}
