import Concurrency
import Glibc

/// The service manager that started this process, as sd_notify(3) describes it: state changes are datagrams to the socket
/// that `NOTIFY_SOCKET` names.
///
/// Without that variable nothing is sent. A message that cannot be sent is dropped: the manager's timeouts are what then acts.
package struct ServiceManager: Sendable {
    /// What the process reports of itself.
    package enum State: Sendable {
        /// The ports are open; also the end of a reload.
        case ready
        /// Settings are being read again.
        case reloading
        /// The process ends within this time.
        case stopping(within: Duration)
        /// All loops turn.
        case alive
    }

    /// Path of the socket; a leading `@` marks an abstract socket.
    private let path: String?
    /// The manager ends a process that does not report ``State/alive`` for so long; `nil` when it does not ask for it.
    package let watchdog: Duration?

    /// - Parameters:
    ///   - environment: the variables of the process.
    ///   - process: the id of this process; a watchdog may be meant for another one.
    package init(environment: [String: String], process: pid_t = getpid()) {
        path = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isMeant = environment["WATCHDOG_PID"].map { pid_t($0) == process } ?? true
        let interval = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
        watchdog = isMeant ? interval.flatMap { $0 > 0 ? .microseconds($0) : nil } : nil
    }

    /// Sends a state. Blocks while the manager's queue is full, so not for use on a loop.
    package func report(_ state: State) {
        guard let path else { return }
        send(Self.message(state, now: .now()), to: path)
    }

    /// The text of a message, as sd_notify(3) defines it.
    static func message(_ state: State, now: MonotonicTime) -> String {
        switch state {
        case .ready: "READY=1"
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(now.nanoseconds / 1_000)"
        case .stopping(let time): "STOPPING=1\nEXTEND_TIMEOUT_USEC=\(time.wholeNanoseconds / 1_000)"
        case .alive: "WATCHDOG=1"
        }
    }

    private func send(_ message: String, to path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        let isAbstract = name.first == UInt8(ascii: "@")
        if isAbstract { name[0] = 0 }
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // A path ends with a NUL, an abstract name with the address.
        let offset = MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2
        let length = socklen_t(offset + name.count + (isAbstract ? 0 : 1))

        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(message.utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
    }
}
