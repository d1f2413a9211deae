import CLinux
import Glibc

/// A system call on a socket that failed.
package struct SocketError: Error, CustomStringConvertible {
    /// The call that failed.
    package let call: String
    /// The system's text for the error.
    package let reason: String
    /// Whether the address, not the port, is what cannot be used.
    package let isAboutAddress: Bool

    /// Call and reason.
    package var description: String { "\(call): \(reason)" }

    init(_ call: String, errno: Int32) {
        self.call = call
        reason = String(cString: strerror(errno))
        isAboutAddress = errno == EADDRNOTAVAIL
    }

    init(_ call: String, reason: String) {
        self.call = call
        self.reason = reason
        isAboutAddress = true
    }
}

/// The POSIX calls of the server, in one place: `EINTR` is retried, `SIGPIPE` never raised.
enum Socket {
    /// Binds and listens.
    ///
    /// - Parameter backlog: connections that the kernel keeps until they are accepted (listen(2)).
    /// - Returns: the descriptor, non-blocking, and the port that it got.
    static func listen(host: String, port: Int, backlog: Int32) throws(SocketError) -> (descriptor: Int32, port: Int) {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &found)
        guard code == 0, let first = found else {
            throw SocketError("getaddrinfo", reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(first) }
        let descriptor = socket(first.pointee.ai_family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SocketError("socket", errno: errno) }
        do throws(SocketError) {
            try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR)
            guard bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
                throw SocketError("bind to \(host) port \(port)", errno: errno)
            }
            guard Glibc.listen(descriptor, backlog) == 0 else { throw SocketError("listen", errno: errno) }
            try prepare(descriptor)
            return (descriptor, try localPort(descriptor))
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }

    /// Sets a descriptor to non-blocking and close-on-exec.
    static func prepare(_ descriptor: Int32) throws(SocketError) {
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw SocketError("fcntl", errno: errno)
        }
    }

    private static func setOption(_ descriptor: Int32, _ level: Int32, _ option: Int32) throws(SocketError) {
        var on: Int32 = 1
        guard setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw SocketError("setsockopt", errno: errno)
        }
    }

    private static func localPort(_ descriptor: Int32) throws(SocketError) -> Int {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard code == 0 else { throw SocketError("getsockname", errno: errno) }
        // The port is at the same offset in the addresses of both families (ip(7), ipv6(7)).
        return withUnsafeBytes(of: address) { bytes in
            Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        }
    }

    /// Accepts one waiting connection: its descriptor, or the negated `errno`, and its peer.
    static func accept(_ listener: Int32) -> (descriptor: Int32, client: ClientAddress) {
        var address = sockaddr_storage()
        while true {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    accept4(listener, $0, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
                }
            }
            if descriptor >= 0 {
                // A response is sent in one piece; Nagle's algorithm could only delay its last part.
                try? setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
                return (descriptor, ClientAddress(address))
            }
            if errno != EINTR { return (-errno, ClientAddress(address)) }
        }
    }

    static func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .transferred(count) }
            if count == 0 { return .endOfFile }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed
        }
    }

    /// Returns the bytes received so far and leaves them in the kernel (recv(2), `MSG_PEEK`); empty when there are none.
    static func peek(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> [UInt8] {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_PEEK))
        return count > 0 ? Array(buffer[..<count]) : []
    }

    static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> TransferResult {
        while true {
            let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .transferred(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed
        }
    }

    static func shutdownSending(_ descriptor: Int32) {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    static func close(_ descriptor: Int32) {
        Glibc.close(descriptor)
    }

    /// Raises the soft limit of open descriptors to the hard one (getrlimit(2)).
    ///
    /// - Returns: how many descriptors the process may have.
    static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }
}
