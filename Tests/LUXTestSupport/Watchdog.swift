import Foundation
import Glibc

/// Ends the processes and removes the folders that the tests created, however the test process itself ends.
///
/// A shell reads a channel whose other end only the test process holds: end of file there means that the process is
/// gone, by exit, crash or SIGKILL, and the shell then clears up.
///
/// `@unchecked Sendable`: `descriptor` and `pid` never change; one write(2) of a short line to a stream is whole.
package final class Watchdog: @unchecked Sendable {
    package static let shared = Watchdog()

    private let descriptor: Int32
    private let pid: pid_t

    private static let script = """
        pids='' folders=''
        while read -r verb argument; do
            case $verb in
            start) pids="$pids $argument" ;;
            end) rest=''; for p in $pids; do [ "$p" = "$argument" ] || rest="$rest $p"; done; pids=$rest ;;
            folder) folders="$folders $argument" ;;
            esac
        done
        for p in $pids; do kill -INT "$p" 2>/dev/null; kill -CONT "$p" 2>/dev/null; done
        tries=0
        while [ $tries -lt 50 ]; do
            alive=''; for p in $pids; do kill -0 "$p" 2>/dev/null && alive=yes; done
            [ -z "$alive" ] && break
            sleep 0.1; tries=$((tries + 1))
        done
        for p in $pids; do kill -KILL "$p" 2>/dev/null; done
        for f in $folders; do rm -rf "$f"; done
        """

    private init() {
        do {
            let pipe = try ChildProcess.channel()
            descriptor = pipe[1]
            pid = try ChildProcess.spawn(
                "/bin/sh", ["-c", Self.script], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
                folder: "/", input: pipe[0], output: nil, errors: nil)
            close(pipe[0])
        } catch {
            preconditionFailure("\(error)")
        }
        atexit { Watchdog.shared.finish() }
    }

    func started(_ pid: pid_t) { report("start \(pid)") }

    func ended(_ pid: pid_t) { report("end \(pid)") }

    func created(folder: String) { report("folder \(folder)") }

    private func report(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(descriptor, bytes, bytes.count)
    }

    private func finish() {
        close(descriptor)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }
}

/// A fresh folder under the temporary folder, removed when the test process ends.
package func makeTemporaryFolder(_ name: String = "lux-test") throws -> String {
    let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    var template = Array("\(base)/\(name)-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
        throw ChildProcess.SpawnFailure(description: "mkdtemp in \(base): errno \(errno)")
    }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    Watchdog.shared.created(folder: path)
    return path
}
