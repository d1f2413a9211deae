import Foundation
import Glibc

/// A TCP proxy on loopback that can stall, delay and cut what passes.
package final class FaultyProxy: Sendable {
    /// What is done to the connections, those that exist included.
    package enum Fault: Sendable, Equatable {
        case none
        /// Nothing passes any more, nothing is closed.
        case stall
        /// Everything waits so long (milliseconds) before it passes.
        case delay(Int)
        /// Each connection is cut once about so many more bytes have passed.
        case cut(after: Int)
    }

    package let port: UInt16
    private let listener: Int32
    private let target: UInt16
    private let fault = Guarded(Fault.none)

    /// Begins to pass connections on to a port.
    package init(to target: UInt16) throws {
        self.target = target
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let done = withUnsafeMutableBytes(of: &address) { bytes -> Bool in
            guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return bind(descriptor, pointer, length) == 0 && listen(descriptor, 64) == 0
                && getsockname(descriptor, pointer, &length) == 0
        }
        guard done else { throw HTTPClient.Failure.socket(errno) }
        listener = descriptor
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// Changes what is done.
    package func set(_ fault: Fault) {
        self.fault.withLock { $0 = fault }
    }

    /// Ends it. Connections end with their peers.
    package func close() {
        set(.cut(after: 0))
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = loopback(port: target)
            let connected = withUnsafeBytes(of: &address) { bytes -> Bool in
                guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
                return connect(server, pointer, socklen_t(bytes.count)) == 0
            }
            guard connected else {
                Glibc.close(client)
                Glibc.close(server)
                continue
            }
            let pair = Pair(client, server)
            Thread.detachNewThread { [self] in pump(client, server, pair) }
            Thread.detachNewThread { [self] in pump(server, client, pair) }
        }
        Glibc.close(listener)
    }

    /// Two sockets that are closed when both directions have ended.
    private final class Pair: Sendable {
        private let ends = Guarded(2)
        private let sockets: (Int32, Int32)

        init(_ one: Int32, _ other: Int32) {
            sockets = (one, other)
        }

        func endedOne() {
            shutdown(sockets.0, Int32(SHUT_RDWR))
            shutdown(sockets.1, Int32(SHUT_RDWR))
            let isLast = ends.withLock { ends in
                ends -= 1
                return ends == 0
            }
            guard isLast else { return }
            Glibc.close(sockets.0)
            Glibc.close(sockets.1)
        }
    }

    private func pump(_ from: Int32, _ to: Int32, _ pair: Pair) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        var left: Int?
        pumping: while true {
            var count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            while true {
                let fault = fault.withLock { $0 }
                switch fault {
                case .none:
                    left = nil
                case .stall:
                    usleep(5_000)
                    continue
                case .delay(let milliseconds):
                    usleep(UInt32(milliseconds) * 1_000)
                case .cut(let bytes):
                    let remaining = left ?? bytes
                    count = min(count, remaining)
                    left = remaining - count
                }
                break
            }
            var sent = 0
            while sent < count {
                let written = buffer.withUnsafeBytes {
                    Glibc.send(to, $0.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
                }
                guard written > 0 else { break pumping }
                sent += written
            }
            if left == 0 { break }
        }
        pair.endedOne()
    }
}
