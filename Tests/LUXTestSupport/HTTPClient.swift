import Glibc

/// One connection to the server over a raw blocking socket: what is sent and what comes back is seen byte by byte.
package final class HTTPClient {
    package enum Failure: Error, Equatable {
        /// connect(2) or send(2) failed with this errno.
        case socket(Int32)
        /// Nothing came within the client's time limit.
        case timeout
        /// The server closed before the first byte of a response.
        case closed
        /// The server closed, or reset the connection, in the middle of a response.
        case truncated
        case malformed(String)
    }

    private var descriptor: Int32
    /// The TLS side of the connection, if it has one.
    package private(set) var tls: TLSClient?
    private var buffer: [UInt8] = []
    private var start = 0

    /// Connects to 127.0.0.1; `timeout` (seconds) limits each later wait too.
    package init(port: UInt16, timeout: Double = 15, receiveBuffer: Int32? = nil) throws(Failure) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .socket(errno) }
        var limit = timeval(tv_sec: Int(timeout), tv_usec: Int((timeout - timeout.rounded(.down)) * 1e6))
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
        if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var address = loopback(port: port)
        let connected = withUnsafeBytes(of: &address) { bytes -> Int32 in
            guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return EINVAL }
            return connect(descriptor, pointer, socklen_t(bytes.count)) == 0 ? 0 : errno
        }
        // Everything is initialized: deinit closes the descriptor of a client that is not returned, too.
        guard connected == 0 else { throw .socket(connected) }
    }

    deinit { end() }

    /// Closes the connection before the client is released.
    package func end() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    /// Connects and does a TLS handshake.
    package convenience init(
        port: UInt16, timeout: Double = 15, receiveBuffer: Int32? = nil, offer: TLSClient.Offer
    ) throws {
        try self.init(port: port, timeout: timeout, receiveBuffer: receiveBuffer)
        tls = try TLSClient(descriptor: descriptor, offer: offer)
    }

    /// Does a TLS handshake on the open connection.
    package func startTLS(
        _ offer: TLSClient.Offer = TLSClient.Offer(), whenHalfway: (() throws -> Void)? = nil
    ) throws {
        tls = try TLSClient(descriptor: descriptor, offer: offer, whenHalfway: whenHalfway)
    }

    package func send(_ bytes: [UInt8]) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw -> Int in
                let start = raw.baseAddress.map { $0 + sent }
                if let tls { return tls.write(start, raw.count - sent) }
                return Glibc.send(descriptor, start, raw.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw errno == EAGAIN ? .timeout : .socket(errno) }
            sent += count
        }
    }

    package func send(_ text: String) throws(Failure) { try send(Array(text.utf8)) }

    /// Closes the sending side; responses can still be read.
    package func closeWrite() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes with a reset instead of an orderly end.
    package func abort() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    /// Reads one response. `method` is that of its request: HEAD has no body whatever the fields say.
    package func receive(to method: String = "GET", skippingInterim: Bool = true) throws(Failure) -> HTTPReply {
        if start > 1 << 20 {
            buffer.removeFirst(start)
            start = 0
        }
        while true {
            let head = try receiveHead()
            if (100..<200).contains(head.status) {
                if skippingInterim { continue }
                return head
            }
            var reply = head
            if method == "HEAD" || head.status == 204 || head.status == 304 { return reply }
            guard let text = head.header("Content-Length") else {
                reply.body = try receiveToEnd()
                return reply
            }
            guard let length = Int(text), length >= 0 else { throw .malformed("Content-Length \(text)") }
            while buffer.count - start < length {
                guard try fill() else { throw .truncated }
            }
            reply.body = Array(buffer[start..<start + length])
            start += length
            return reply
        }
    }

    /// Everything up to the end of the connection.
    package func receiveToEnd() throws(Failure) -> [UInt8] {
        while try fill() {}
        defer { start = buffer.count }
        return Array(buffer[start...])
    }

    /// True when the server ends the connection (or has ended it) without sending another byte.
    package func isEnded() throws(Failure) -> Bool {
        if start < buffer.count { return false }
        do { return try !fill() } catch .truncated { return true }
    }

    private func receiveHead() throws(Failure) -> HTTPReply {
        var searched = start
        while true {
            if let end = endOfHead(from: searched) {
                let text = String(decoding: buffer[start..<end], as: UTF8.self)
                start = end + 4
                guard let reply = HTTPReply(head: text) else { throw .malformed(text) }
                return reply
            }
            searched = max(start, buffer.count - 3)
            guard try fill() else { throw buffer.count == start ? .closed : .truncated }
        }
    }

    private func endOfHead(from index: Int) -> Int? {
        guard buffer.count >= 4, index <= buffer.count - 4 else { return nil }
        return (index...(buffer.count - 4)).first { buffer[$0..<$0 + 4].elementsEqual([13, 10, 13, 10]) }
    }

    /// Reads what there is; false at the end of the connection.
    private func fill() throws(Failure) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = tls.map { $0.read(&chunk, chunk.count) } ?? recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 {
                buffer += chunk[..<count]
                return true
            }
            if count == 0 { return false }
            switch errno {
            case EINTR: continue
            case EAGAIN: throw .timeout
            case ECONNRESET, EPIPE: throw .truncated
            default: throw .socket(errno)
            }
        }
    }
}
