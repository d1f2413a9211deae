import Concurrency
import EventLoop
import TLS

/// What a connection reads before its first request.
extension HTTPConnection {
    /// Reads the header of the PROXY protocol, if the peer is a trusted proxy and sends one.
    func readProxyHeader() async -> Bool {
        guard isProxied else { return true }
        inputDeadline = server.loop.now + limits.headerTime
        while !failed {
            let bytes = server.withReceiveBuffer { buffer in
                Socket.peek(
                    transport.descriptor,
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: buffer[..<ProxyHeader.maximumLength]))
            }
            switch ProxyHeader(bytes) {
            case .absent: return true
            case .malformed: return false
            case .present(let length, let named):
                server.withReceiveBuffer { buffer in
                    _ = Socket.receive(
                        transport.descriptor,
                        into: UnsafeMutableRawBufferPointer(
                            rebasing: buffer[..<length]))
                }
                readable = true
                guard let named else { return true }
                guard server.assign(named) else {
                    server.onEvent(.connectionRejected(ConnectionCounter.Rejection.address.rawValue))
                    return false
                }
                client = named
                parser.client = named
                owner.client = named.network
                return true
            case .needMore:
                guard await waitForInput() == .ready, !peerClosed else { return false }
            }
        }
        return false
    }

    func handshake() async -> Bool {
        guard let session = transport.session else { return true }
        inputDeadline = server.loop.now + limits.handshakeTime
        while !failed {
            switch session.handshake() {
            case .done:
                server.handshakes += 1
                return true
            case .controlRecord:
                await yieldIfLong()
                continue
            case .wouldBlock: break
            case .endOfFile: return false
            case .plainHTTP:
                rejectPlainHTTP()
                return false
            case .failed(let reason):
                server.onEvent(.handshakeFailed(reason))
                return false
            }
            switch await waitForInput() {
            case .ready: continue
            case .gone, .idle: return false
            case .timedOut:
                server.onEvent(.handshakeFailed("not complete in time"))
                return false
            }
        }
        return false
    }

    /// A response that the client can read, as it does not speak TLS.
    private func rejectPlainHTTP() {
        server.onEvent(.handshakeFailed("plain HTTP on the TLS port"))
        var request = RejectedRequest()
        request.client = client
        request.detail = "This port speaks HTTPS: use https://"
        let response = server.responder.reject(.badRequest, reason: "plain HTTP on the TLS port", request: request)
        var bytes: [UInt8] = []
        ResponseEncoder.encode(
            response, isHead: false, version: .http11, keepAlive: false, date: server.date, into: &bytes)
        _ = bytes.withUnsafeBytes { Socket.send(transport.descriptor, $0) }
        hasUnreadInput = true
    }
}
