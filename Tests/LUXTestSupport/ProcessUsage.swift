import Foundation
import Glibc

/// The resources of a process, from /proc (proc(5)).
package struct ProcessUsage: Sendable {
    package let descriptors: Int
    /// Resident memory in KiB.
    package let memory: Int
    /// CPU time so far, in seconds.
    package let processorTime: Double

    package init(of pid: pid_t) {
        descriptors = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []).count
        let pages = Self.fields("/proc/\(pid)/statm")
        memory = pages.count > 1 ? (Int(pages[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) / 1_024 : 0
        // The command in parentheses may contain spaces; user and system time are the 12th and 13th field behind it.
        let fields = Self.text("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
        processorTime = Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Waits until a process has no more descriptors than it had, and returns its usage then.
    package static func settled(_ pid: pid_t, descriptors: Int, seconds: Double = 10) -> ProcessUsage {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while true {
            let usage = ProcessUsage(of: pid)
            if usage.descriptors <= descriptors || Date() > deadline { return usage }
            usleep(20_000)
        }
    }

    private static func fields(_ path: String) -> [Substring] { text(path).split(separator: " ") }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}

/// Lets this process have as many descriptors as the system grants.
package func raiseDescriptorLimit() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
