import Foundation
import Glibc

/// A message provider on loopback whose responses, or failures, a test chooses. Blocking, one thread for each connection.
///
/// `@unchecked Sendable`: what changes is guarded by `lock`, the rest never does.
package final class FakeProvider: @unchecked Sendable {
    /// One request as it came.
    package struct Request: Sendable {
        package let method: String
        package let target: String
        package let headers: [(name: String, value: String)]
        package let body: String

        /// The value of the one field of this name, compared without case; nil when there is none or several.
        package func header(_ name: String) -> String? {
            let values = headers.filter { $0.name.lowercased() == name.lowercased() }
            return values.count == 1 ? values[0].value : nil
        }

        package var json: JSONValue? { JSONValue(body) }
    }

    /// What becomes of a connection.
    package enum Behaviour: Sendable {
        /// A whole response.
        case reply(Int, String, headers: [String] = [])
        /// Bytes, and then the end.
        case bytes(String)
        /// A whole response, each byte of it after a pause.
        case slow(Int, String, pause: Double)
        /// The head and endless bytes of a body.
        case endless
        /// A status line and endless header fields.
        case endlessHead
        /// Nothing until the client goes.
        case hang
        /// Not even a handshake until the client goes.
        case silent
        /// A reset before anything was read.
        case resetBefore
        /// A reset after the request was read.
        case resetAfter
    }

    package let port: UInt16
    private let listener: Int32
    private let tls: TLSServerContext?
    private let lock = NSLock()
    private var behaviour: Behaviour
    private var respond: (@Sendable (Request) -> Behaviour)?
    private var received: [Request] = []
    private var accepted = 0

    /// Listens; with a certificate, over TLS.
    package init(_ behaviour: Behaviour = .hang, certificate: TestCA.Leaf? = nil) throws {
        // OpenSSL writes without MSG_NOSIGNAL.
        signal(SIGPIPE, SIG_IGN)
        self.behaviour = behaviour
        tls = try certificate.map { try TLSServerContext($0) }
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let done = withUnsafeMutableBytes(of: &address) { bytes -> Bool in
            guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return bind(listener, pointer, length) == 0 && listen(listener, 512) == 0
                && getsockname(listener, pointer, &length) == 0
        }
        guard done else { throw TestServer.StartFailure(description: "the fake provider: errno \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else {
                    // Here and not in `deinit`: the number may have a new owner before this thread looks again.
                    close(listener)
                    return
                }
                // A child process that took it along would keep open what is closed or reset here.
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                guard let provider = self else {
                    close(descriptor)
                    return
                }
                Thread.detachNewThread { provider.serve(Connection(descriptor)) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    package var baseURL: String { (tls == nil ? "http" : "https") + "://127.0.0.1:\(port)" }

    /// All requests so far.
    package var requests: [Request] { lock.withLock { received } }

    /// Connections so far, of which each is one attempt of the server, as it keeps none.
    package var connections: Int { lock.withLock { accepted } }

    /// Behaves so from now on, and forgets earlier requests.
    package func reset(to behaviour: Behaviour) {
        lock.withLock { (self.behaviour, respond, received, accepted) = (behaviour, nil, [], 0) }
    }

    /// Responds to each request by itself from now on, and forgets earlier requests.
    package func reset(responding respond: @escaping @Sendable (Request) -> Behaviour) {
        lock.withLock { (self.respond, received, accepted) = (respond, [], 0) }
    }

    private func serve(_ connection: Connection) {
        let (early, respond) = lock.withLock {
            accepted += 1
            return (behaviour, self.respond)
        }
        if respond == nil {
            if case .resetBefore = early { return connection.resetUnread() }
            if case .silent = early { return connection.waitForEnd() }
        }
        if let tls, !connection.handshake(tls) { return }
        // A client that keeps its connection may send another request.
        while let request = connection.request() {
            lock.withLock { received.append(request) }
            let behaviour = respond?(request) ?? early
            guard case .reply(let status, let body, let headers) = behaviour else {
                return misbehave(behaviour, connection)
            }
            guard connection.send(Self.response(status, body, headers)) else { return }
        }
    }

    private func misbehave(_ behaviour: Behaviour, _ connection: Connection) {
        switch behaviour {
        case .reply, .silent: break
        case .bytes(let text): connection.send(text)
        case .slow(let status, let body, let pause):
            for byte in Self.response(status, body, []).utf8 {
                guard connection.send(String(decoding: [byte], as: UTF8.self)) else { return }
                Thread.sleep(forTimeInterval: pause)
            }
        case .endless:
            let chunk = String(repeating: " ", count: 65_536)
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            while connection.send(chunk) {}
        case .endlessHead:
            let field = "X-More: " + String(repeating: "x", count: 1_000) + "\r\n"
            connection.send("HTTP/1.1 200 OK\r\n")
            while connection.send(field) {}
        case .hang: while connection.read() != nil {}
        case .resetBefore, .resetAfter: connection.reset()
        }
    }

    private static func response(_ status: Int, _ body: String, _ headers: [String]) -> String {
        let fields = ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] + headers
        return "HTTP/1.1 \(status) Status\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n" + body
    }

    /// One connection, closed when it goes.
    private final class Connection {
        private let descriptor: Int32
        private var tls: TLSServerSession?

        init(_ descriptor: Int32) {
            self.descriptor = descriptor
            var limit = timeval(tv_sec: 60, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit {
            close(descriptor)
        }

        func handshake(_ context: TLSServerContext) -> Bool {
            tls = TLSServerSession(context, descriptor: descriptor)
            return tls != nil
        }

        func reset() {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        }

        /// Resets when the request has come, without reading it.
        func resetUnread() {
            var byte: UInt8 = 0
            _ = recv(descriptor, &byte, 1, Int32(MSG_PEEK))
            Thread.sleep(forTimeInterval: 0.05)
            reset()
        }

        /// Reads nothing of what has come, and returns when the client is gone.
        func waitForEnd() {
            let hungUp: Int16 = 0x2000  // POLLRDHUP, which the Glibc module leaves out
            var event = pollfd(fd: descriptor, events: hungUp, revents: 0)
            poll(&event, 1, 60_000)
        }

        func read() -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = tls?.read(&buffer, buffer.count) ?? recv(descriptor, &buffer, buffer.count, 0)
            return count > 0 ? Array(buffer[..<count]) : nil
        }

        @discardableResult
        func send(_ text: String) -> Bool {
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { bytes in
                    tls?.write(bytes.baseAddress, bytes.count)
                        ?? Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }

        /// Reads one request with a body of a known length.
        func request() -> Request? {
            var bytes: [UInt8] = []
            var head: [String]?
            var bodyStart = 0
            while true {
                if head == nil,
                    let end = (bytes.indices.dropLast(3)).first(where: { start in
                        bytes[start..<start + 4].elementsEqual([13, 10, 13, 10])
                    })
                {
                    head = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
                    bodyStart = end + 4
                }
                if let head {
                    let fields = head.dropFirst().map { line -> (name: String, value: String) in
                        let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
                        return (parts[0], parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
                    }
                    let length =
                        fields.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
                    if bytes.count - bodyStart >= length {
                        let line = head[0].split(separator: " ").map(String.init)
                        guard line.count == 3 else { return nil }
                        return Request(
                            method: line[0], target: line[1], headers: fields,
                            body: String(decoding: bytes[bodyStart...], as: UTF8.self))
                    }
                }
                guard let more = read() else { return nil }
                bytes += more
            }
        }
    }
}
