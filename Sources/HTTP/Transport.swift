import TLS

/// The outcome of one read or write on a non-blocking connection.
enum TransferResult {
    case transferred(Int)
    case endOfFile
    case wouldBlock
    case failed
}

/// The bytes of a connection, with or without TLS.
struct Transport {
    let descriptor: Int32
    let session: TLSSession?

    /// With TLS any readiness may allow a read or a write to continue, and a short read leaves decrypted bytes behind.
    var isSecure: Bool { session != nil }

    func receive(into buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
        guard let session else { return Socket.receive(descriptor, into: buffer) }
        return result(session.read(into: buffer))
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> TransferResult {
        guard let session else { return Socket.send(descriptor, bytes) }
        return result(session.write(bytes))
    }

    /// Ends this side of the connection; the other one can still be read.
    func closeSending() {
        session?.closeSending()
        Socket.shutdownSending(descriptor)
    }

    private func result(_ outcome: TLSSession.Outcome) -> TransferResult {
        switch outcome {
        case .done(let count): .transferred(count)
        // Not reported to the caller, which continues in the same turn.
        case .controlRecord: .transferred(0)
        case .plainHTTP: .failed
        case .wouldBlock: .wouldBlock
        case .endOfFile: .endOfFile
        case .failed: .failed
        }
    }
}
