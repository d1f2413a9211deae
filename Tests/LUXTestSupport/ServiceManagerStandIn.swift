import Foundation
import Glibc

/// Plays systemd for one server: keeps its listening socket while it is restarted and receives its states.
///
/// `@unchecked Sendable`: the descriptors never change; what was received is `Guarded`.
package final class ServiceManagerStandIn: @unchecked Sendable {
    package let port: UInt16
    private let listener: Int32
    private let notifications: Int32
    private let name: String
    private let received = Guarded<[String]>([])

    package struct Failure: Error {
        let call: String
        let errno: Int32
    }

    package init() throws {
        let own = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(own) }
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(own, $0, length) == 0 && listen(own, 4_096) == 0 && getsockname(own, $0, &length) == 0
            }
        }
        guard bound else { throw Failure(call: "listen", errno: errno) }
        port = UInt16(bigEndian: address.sin_port)
        // Away from 3, which the child's copy replaces.
        listener = fcntl(own, F_DUPFD_CLOEXEC, 200)
        name = "lux-test-\(getpid())-\(port)"
        notifications = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var local = sockaddr_un()
        local.sun_family = sa_family_t(AF_UNIX)
        let path = [0] + Array(name.utf8)
        withUnsafeMutableBytes(of: &local.sun_path) { $0.copyBytes(from: path) }
        let notified = withUnsafePointer(to: &local) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { [notifications] in
                bind(notifications, $0, socklen_t(2 + path.count))
            }
        }
        guard listener >= 0, notified == 0 else { throw Failure(call: "bind", errno: errno) }
        Thread.detachNewThread { [notifications, received] in
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = recv(notifications, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                received.withLock { $0.append(String(decoding: buffer[..<count], as: UTF8.self)) }
            }
        }
    }

    deinit {
        shutdown(notifications, Int32(SHUT_RDWR))
        close(notifications)
        close(listener)
    }

    /// The variables that the server finds, beside those of the socket.
    package var environment: [String: String] { ["NOTIFY_SOCKET": "@" + name] }

    /// Starts the server on the kept socket and waits until it has reported that it is ready.
    package func start(_ database: TestDatabase, environment: [String: String] = [:]) throws -> TestServer {
        let before = count(of: "READY=1")
        let variables = self.environment.merging(["LUX_PORT": String(port)]) { $1 }.merging(environment) { $1 }
        let server = try TestServer(
            database, environment: variables,
            // The process id stays that of the shell.
            wrapper: ["/bin/sh", "-c", #"LISTEN_FDS=1 LISTEN_PID=$$ exec "$@""#, "sh"], descriptors: [listener])
        guard waits(for: "READY=1", count: before + 1) else { throw Failure(call: "READY=1", errno: ETIMEDOUT) }
        return server
    }

    /// What was received so far, in order.
    package var messages: [String] { received.withLock { $0 } }

    package func count(of message: String) -> Int { messages.count { $0 == message } }

    /// Waits until a message has been received so often; false after `seconds`.
    package func waits(for message: String, count: Int = 1, seconds: Double = 15) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            if self.count(of: message) >= count { return true }
            usleep(5_000)
        }
        return false
    }
}
