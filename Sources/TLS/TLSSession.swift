import COpenSSL

/// The TLS state of one connection over a non-blocking socket, whose descriptor stays its owner's.
///
/// Not `Sendable`: confined to the loop of its connection.
package final class TLSSession {
    /// What became of one step.
    package enum Outcome: Equatable {
        /// Done; for reads and writes the number of bytes.
        case done(Int)
        /// Has to be called again when the socket is readable or writable.
        case wouldBlock
        /// The peer will send no more.
        case endOfFile
        /// The connection cannot be used any more.
        case failed(String)
    }

    private let ssl: OpaquePointer
    private var usable = true

    /// - Throws: ``TLSError`` when OpenSSL has no memory for it.
    package init(_ context: TLSContext, descriptor: Int32) throws(TLSError) {
        guard let ssl = SSL_new(context.context) else { throw .openSSL("SSL_new") }
        self.ssl = ssl
        guard SSL_set_fd(ssl, descriptor) == 1 else {
            SSL_free(ssl)
            throw .openSSL("SSL_set_fd")
        }
        SSL_set_accept_state(ssl)
    }

    deinit {
        SSL_free(ssl)
    }

    /// Goes on with the handshake (SSL_do_handshake(3)).
    package func handshake() -> Outcome {
        ERR_clear_error()
        let code = SSL_do_handshake(ssl)
        return code == 1 ? .done(0) : outcome(code)
    }

    /// Decrypts what has come. A short read does not mean that nothing is left: only ``Outcome/wouldBlock`` does.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        ERR_clear_error()
        var count = 0
        let code = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
        return code == 1 ? .done(count) : outcome(code)
    }

    /// Encrypts and sends. After ``Outcome/wouldBlock`` the same bytes have to be given again, from any address.
    package func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard !bytes.isEmpty else { return .done(0) }
        ERR_clear_error()
        var count = 0
        let code = SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
        return code == 1 ? .done(count) : outcome(code)
    }

    /// Tells the peer that nothing more will be sent (close_notify, RFC 8446 section 6.1). Its own answer is not waited
    /// for here.
    package func closeSending() {
        // After a fatal error SSL_shutdown must not be called.
        guard usable, SSL_is_init_finished(ssl) == 1 else { return }
        ERR_clear_error()
        SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Version and cipher, for the log.
    package var summary: String {
        "\(SSL_get_version(ssl).map { String(cString: $0) } ?? "") "
            + (SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "")
    }

    private func outcome(_ code: Int32) -> Outcome {
        switch SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wouldBlock
        case SSL_ERROR_ZERO_RETURN: return .endOfFile
        default:
            usable = false
            let reason = TLSError.takeReason()
            return .failed(reason.isEmpty ? "the connection was lost" : reason)
        }
    }
}
