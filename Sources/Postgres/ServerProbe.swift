import CLibPQ
import Concurrency
import Glibc

/// Where a session's server listens.
struct SessionAddress: Sendable, Equatable {
    /// A folder for a Unix socket, or a numeric IP address.
    let host: String
    let port: String

    init(host: String, port: String) {
        self.host = host
        self.port = port
    }

    /// The address that a session is connected to.
    init?(of pg: OpaquePointer) {
        guard let port = PQport(pg), let host = PQhost(pg) else { return nil }
        let numeric = PQhostaddr(pg).map { String(cString: $0) } ?? ""
        self.init(host: numeric.isEmpty ? String(cString: host) : numeric, port: String(cString: port))
    }
}

/// Asks a server for a sign of life without opening a session.
///
/// It sends an SSLRequest, which the server acknowledges with one byte before it looks at anything else (PostgreSQL manual,
/// "SSL Session Encryption"), and closes the connection. So a probe never counts against the server's limit of sessions.
enum ServerProbe {
    private static let request: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]

    /// Whether the server responds in time. Blocks until then.
    static func responds(_ address: SessionAddress, within limit: Duration) -> Bool {
        let deadline = MonotonicTime.now() + limit
        guard let descriptor = connect(address) else { return false }
        defer { close(descriptor) }
        guard wait(descriptor, for: POLLOUT, until: deadline),
            request.withUnsafeBytes({ Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) })
                == request.count,
            wait(descriptor, for: POLLIN, until: deadline)
        else { return false }
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) == 1
    }

    /// A socket whose connection is established or in progress.
    private static func connect(_ address: SessionAddress) -> Int32? {
        if address.host.hasPrefix("/") { return connect(unixSocket: "\(address.host)/.s.PGSQL.\(address.port)") }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, address.port, &hints, &found) == 0, let found else { return nil }
        defer { freeaddrinfo(found) }
        return connect(found.pointee.ai_family, found.pointee.ai_addr, found.pointee.ai_addrlen)
    }

    private static func connect(unixSocket path: String) -> Int32? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            guard path.utf8.count < buffer.count else { return false }
            buffer.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { return nil }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(AF_UNIX, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func connect(_ family: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32? {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { return nil }
        if Glibc.connect(descriptor, address, length) == 0 || errno == EINPROGRESS { return descriptor }
        close(descriptor)
        return nil
    }

    private static func wait(_ descriptor: Int32, for events: Int32, until deadline: MonotonicTime) -> Bool {
        while true {
            let left = (deadline - .now()).wholeNanoseconds / 1_000_000
            guard left > 0 else { return false }
            var descriptor = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let count = poll(&descriptor, 1, Int32(clamping: left))
            if count > 0 { return descriptor.revents & Int16(events) != 0 }
            if count < 0, errno != EINTR { return false }
        }
    }
}
