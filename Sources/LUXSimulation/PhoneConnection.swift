import CLinux
import Concurrency
import EventLoop
import Glibc

/// Where the simulated phones connect to.
package struct ServerAddress: Sendable {
    /// An IPv4 address in host byte order.
    package let host: UInt32
    package let port: UInt16

    /// - Parameter text: `ADDRESS:PORT`, with an IPv4 address.
    package init?(_ text: String) {
        let parts = text.split(separator: ":")
        var address = in_addr()
        guard parts.count == 2, let port = UInt16(parts[1]), inet_pton(AF_INET, String(parts[0]), &address) == 1
        else { return nil }
        host = UInt32(bigEndian: address.s_addr)
        self.port = port
    }

    var isLoopback: Bool { host >> 24 == 127 }
}

/// How a request ended.
package enum PhoneOutcome: Sendable, Equatable {
    case response(Int)
    /// No connection, or it ended before the response was complete.
    case failed
    /// The connection had been used before and ended without a byte of a response: the server had closed it.
    case stale
    case timeout
}

/// One TCP connection of a phone, with one request at a time. Confined to the loop's thread.
final class PhoneConnection: EventHandler {
    /// Called on the loop's thread at the end of each request.
    var finished: ((PhoneConnection, PhoneOutcome) -> Void)?
    /// Counts requests, so that a deadline of an earlier one is recognized.
    private(set) var generation = 0
    private(set) var isOpen = true
    /// Whether a request is in flight.
    private(set) var isWaiting = false

    private let loop: EventLoop
    private let descriptor: Int32
    private var output: [UInt8] = []
    private var sent = 0
    private var input: [UInt8] = []
    private var completed = 0
    /// Whether epoll reports room to write.
    private var watchesWrites = true

    /// Begins to connect.
    ///
    /// - Parameter source: which of the loopback addresses it comes from, so that limits for each address see many.
    /// - Returns: `nil` when the kernel grants no socket.
    init?(_ server: ServerAddress, source: Int, loop: EventLoop) {
        loop.assertCurrent()
        self.loop = loop
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { return nil }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
        if server.isLoopback {
            // IP_BIND_ADDRESS_NO_PORT (ip(7)): the port is chosen by connect(2), for each destination by itself.
            setsockopt(descriptor, Int32(IPPROTO_IP), 24, &on, 4)
            let host = UInt32(0x7f01_0001) + UInt32(source % 16) << 8 + UInt32(source / 16 % 250)
            _ = Self.withAddress(host, 0) { bind(descriptor, $0, $1) }
        }
        let code = Self.withAddress(server.host, server.port) { connect(descriptor, $0, $1) }
        guard code == 0 || errno == EINPROGRESS,
            (try? loop.watch(descriptor, for: [.readable, .writable], handler: self)) != nil
        else {
            Glibc.close(descriptor)
            return nil
        }
    }

    private static func withAddress(
        _ host: UInt32, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Sends a request; ``finished`` is called at its end.
    func send(_ bytes: [UInt8]) {
        assert(isOpen && !isWaiting, "one request at a time")
        generation += 1
        output = bytes
        sent = 0
        isWaiting = true
        if !watchesWrites { write() }
    }

    /// Ends the request in flight.
    func expire() {
        if isWaiting { finish(.timeout) }
    }

    /// Closes; no callback follows.
    func close() {
        guard isOpen else { return }
        isOpen = false
        isWaiting = false
        finished = nil
        loop.unwatch(descriptor, handler: self)
        Glibc.close(descriptor)
    }

    /// Closes with a reset, as a network does that breaks.
    func abort() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func ready(_ events: Readiness) {
        loop.assertCurrent()
        if events.containsAny(.writable) { write() }
        guard isOpen, events.containsAny(.readable, .ended) else { return }
        read()
    }

    private func write() {
        while sent < output.count {
            let count = output.withUnsafeBytes { bytes in
                Glibc.send(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN || errno == ENOTCONN { return watch(writes: true) }
                return end()
            }
            sent += count
        }
        watch(writes: false)
    }

    private func watch(writes: Bool) {
        guard writes != watchesWrites else { return }
        watchesWrites = writes
        try? loop.change(descriptor, to: writes ? [.readable, .writable] : .readable)
    }

    private func read() {
        let room = 16_384
        let count = withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { buffer -> Int in
            let count = recv(descriptor, buffer.baseAddress, room, 0)
            if count > 0 { input.append(contentsOf: buffer[..<count]) }
            return count
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return end() }
        guard isWaiting, let (status, length) = ResponseHead.read(input), input.count >= length else { return }
        input.removeFirst(length)
        completed += 1
        finish(.response(status))
    }

    private func end() {
        guard isWaiting else { return close() }
        finish(completed > 0 && input.isEmpty ? .stale : .failed)
    }

    private func finish(_ outcome: PhoneOutcome) {
        isWaiting = false
        let callback = finished
        if case .response = outcome {} else { close() }
        callback?(self, outcome)
    }
}

/// Status and size of a response.
package enum ResponseHead {
    private static let name = Array("content-length:".utf8)

    /// Status, and the length of head and body; `nil` while the head is incomplete.
    package static func read(_ bytes: [UInt8]) -> (status: Int, length: Int)? {
        guard bytes.count > 12 else { return nil }
        var index = 12
        var lineStart = 0
        var length = 0
        while index + 1 < bytes.count {
            if bytes[index] == 13, bytes[index + 1] == 10 {
                if index == lineStart {
                    let status = bytes[9..<12].reduce(0) { $0 * 10 + Int($1 &- 48) }
                    return (status, index + 2 + length)
                }
                if let value = contentLength(bytes[lineStart..<index]) { length = value }
                lineStart = index + 2
                index += 2
            } else {
                index += 1
            }
        }
        return nil
    }

    private static func contentLength(_ line: ArraySlice<UInt8>) -> Int? {
        guard line.count > name.count, zip(line, name).allSatisfy({ $0 | 0x20 == $1 || $0 == $1 }) else { return nil }
        return Int(String(decoding: line.dropFirst(name.count).drop { $0 == 32 }, as: UTF8.self))
    }
}
