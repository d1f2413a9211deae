import Glibc

/// A listening TCP socket that the service manager opened and passed to this process (sd_listen_fds(3)).
///
/// The manager keeps it open while the process is restarted, so that connections wait in its queue meanwhile.
package struct ActivatedSocket: Sendable, Equatable {
    package let descriptor: Int32
    package let port: Int

    /// The first descriptor that is passed.
    private static let first: Int32 = 3

    /// The sockets that were passed to this process; none when the variables are those of another process.
    ///
    /// - Parameter environment: the variables of the process.
    /// - Throws: ``ActivationError`` when a descriptor is not a listening TCP socket.
    package static func all(
        environment: [String: String], process: pid_t = getpid(), first: Int32 = first
    ) throws(ActivationError) -> [ActivatedSocket] {
        guard environment["LISTEN_PID"].flatMap({ pid_t($0) }) == process else { return [] }
        guard let count = environment["LISTEN_FDS"].flatMap({ Int32($0) }), (0...1_024).contains(count) else {
            throw ActivationError(reason: "is not a number of descriptors")
        }
        var sockets: [ActivatedSocket] = []
        for descriptor in first..<first + count {
            // No child of this process inherits it.
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            guard option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue),
                option(SO_ACCEPTCONN, of: descriptor) == 1, let port = port(of: descriptor)
            else {
                throw ActivationError(
                    reason:
                        "descriptor \(descriptor) is not a listening TCP socket; see ListenStream= of the socket unit")
            }
            sockets.append(ActivatedSocket(descriptor: descriptor, port: port))
        }
        return sockets
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }

    /// The local port; `nil` when the socket is not of the Internet's families.
    private static func port(of descriptor: Int32) -> Int? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard code == 0, [AF_INET, AF_INET6].contains(Int32(address.ss_family)) else { return nil }
        // The port is at the same offset in the addresses of both families (ip(7), ipv6(7)).
        return withUnsafeBytes(of: address) { bytes in
            Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        }
    }
}

/// What the service manager passed cannot be used.
package struct ActivationError: Error, Equatable, CustomStringConvertible {
    package let reason: String

    package var description: String { "LISTEN_FDS: \(reason)" }
}
