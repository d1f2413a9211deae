import FoundationEssentials
import Glibc

/// CPU time of processes of this machine (proc(5)).
package enum ProcessTime {
    private static let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))

    /// Seconds of CPU of a process, user and system; 0 when it is gone.
    package static func seconds(pid: Int) -> Double { seconds(stat(pid), 11, 12) }

    /// Seconds of CPU of a process, of those that it has waited for and of its children.
    package static func secondsOfFamily(pid: Int) -> Double {
        let own = stat(pid)
        let children = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return children.compactMap { Int($0) }.reduce(seconds(own, 11, 12) + seconds(own, 13, 14)) { sum, child in
            let fields = stat(child)
            return fields.count > 14 && fields[1] == String(pid) ? sum + seconds(fields, 11, 12) : sum
        }
    }

    /// Bytes that a process and its children have caused to be written to the disk (`write_bytes` of proc(5)).
    package static func bytesWrittenByFamily(pid: Int) -> Int64 {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int($0) }.filter { $0 == pid || parent(pid: $0) == pid }.reduce(0) { sum, process in
            let text = (try? String(contentsOfFile: "/proc/\(process)/io", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("write_bytes: ") }
            return sum + (line.flatMap { Int64($0.dropFirst(13)) } ?? 0)
        }
    }

    /// The parent of a process.
    package static func parent(pid: Int) -> Int? {
        let fields = stat(pid)
        return fields.count > 1 ? Int(fields[1]) : nil
    }

    private static func seconds(_ fields: [String], _ user: Int, _ system: Int) -> Double {
        guard fields.count > system else { return 0 }
        return ((Double(fields[user]) ?? 0) + (Double(fields[system]) ?? 0)) / ticks
    }

    /// The fields after the name of the program, which may contain spaces.
    private static func stat(_ pid: Int) -> [String] {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return [] }
        return text[text.index(after: end)...].split(separator: " ").map { String($0) }
    }
}
