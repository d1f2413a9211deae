import Foundation
import Glibc

/// A process started by a test, with what it writes captured line by line.
///
/// The calling thread's signal mask is not inherited: worker threads of a Swift process block most signals, and a
/// server that inherits that mask would never see its SIGTERM.
///
/// `@unchecked Sendable`: all mutable state is guarded by `condition`.
package final class ChildProcess: @unchecked Sendable {
    /// How a process ended.
    package enum Ending: Equatable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    package struct SpawnFailure: Error, CustomStringConvertible {
        package let description: String
    }

    package let pid: pid_t
    private let condition = NSCondition()
    private var outputBytes: [UInt8] = []
    private var errorBytes: [UInt8] = []
    private var openStreams = 2
    private var status: Ending?

    /// - Parameter descriptors: what the process has open as descriptors 3 and up.
    package init(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = [:], folder: String = "/",
        descriptors: [Int32] = []
    ) throws {
        let output = try Self.channel()
        let errors = try Self.channel()
        pid = try Self.spawn(
            path, arguments, environment: environment, folder: folder,
            input: nil, output: output[1], errors: errors[1], descriptors: descriptors)
        close(output[1])
        close(errors[1])
        Watchdog.shared.started(pid)
        let (readOutput, readErrors) = (output[0], errors[0])
        Thread.detachNewThread { [self] in collect(readOutput) { outputBytes += $0 } }
        Thread.detachNewThread { [self] in collect(readErrors) { errorBytes += $0 } }
        Thread.detachNewThread { [self] in reap() }
    }

    /// Two connected descriptors that no other child inherits. A socket pair, because pipe(2) followed by fcntl(2)
    /// leaves a moment in which another thread's child takes them along.
    static func channel() throws -> [Int32] {
        var pair: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
            throw SpawnFailure(description: "socketpair: errno \(errno)")
        }
        return pair
    }

    /// posix_spawn(3) with an empty signal mask, default signal actions and a session of its own, so that a Ctrl-C at
    /// the terminal reaches the test process only.
    static func spawn(
        _ path: String, _ arguments: [String], environment: [String: String], folder: String,
        input: Int32?, output: Int32?, errors: Int32?, descriptors: [Int32] = []
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        if let output { posix_spawn_file_actions_adddup2(&actions, output, 1) }
        if let errors { posix_spawn_file_actions_adddup2(&actions, errors, 2) }
        for (index, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, 3 + Int32(index))
        }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, which the Glibc module leaves out
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | newSession))

        // env(1) changes the folder and becomes the program.
        let command = ["/usr/bin/env", "-C", folder, path] + arguments
        var argv: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, command[0], &actions, &attributes, &argv, &envp)
        guard failure == 0 else { throw SpawnFailure(description: "cannot start \(path): errno \(failure)") }
        return pid
    }

    private func collect(_ descriptor: Int32, _ append: (ArraySlice<UInt8>) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            condition.lock()
            if count > 0 { append(buffer[..<count]) } else { openStreams -= 1 }
            condition.broadcast()
            condition.unlock()
            if count <= 0 { break }
        }
        close(descriptor)
    }

    private func reap() {
        var information = siginfo_t()
        // WNOWAIT: the process id stays ours until the status is stored, so `signal` can never hit a stranger.
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
        condition.lock()
        var raw: Int32 = 0
        waitpid(pid, &raw, 0)
        status = raw & 0x7f == 0 ? .exit((raw >> 8) & 0xff) : .signal(raw & 0x7f)
        Watchdog.shared.ended(pid)
        condition.broadcast()
        condition.unlock()
    }

    /// Sends a signal, unless the process has ended.
    package func signal(_ number: Int32) {
        condition.lock()
        if status == nil { kill(pid, number) }
        condition.unlock()
    }

    /// Waits for the end of the process and of its output; nil when `seconds` have passed first.
    @discardableResult
    package func wait(seconds: Double = 30) -> Ending? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while status == nil || openStreams > 0 {
            if !condition.wait(until: deadline) { return status }
        }
        return status
    }

    /// Waits until `found` returns a value for the output so far, the process has ended, or `seconds` have passed.
    package func waitForOutput<Value>(seconds: Double = 15, _ found: (_ lines: [String]) -> Value?) -> Value? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let value = found(Self.lines(outputBytes)) { return value }
            if status != nil && openStreams == 0 { return nil }
            if !condition.wait(until: deadline) { return nil }
        }
    }

    package var isRunning: Bool {
        condition.lock()
        defer { condition.unlock() }
        return status == nil
    }

    /// Everything written to standard output so far.
    package var output: String { locked { String(decoding: outputBytes, as: UTF8.self) } }

    /// Everything written to standard error so far.
    package var errors: String { locked { String(decoding: errorBytes, as: UTF8.self) } }

    /// The lines of standard output so far, without an unfinished last one.
    package var outputLines: [String] { locked { Self.lines(outputBytes) } }

    private func locked<Value>(_ read: () -> Value) -> Value {
        condition.lock()
        defer { condition.unlock() }
        return read()
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 10, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
