import COpenSSL

/// The TLS state of one connection over a non-blocking socket, whose descriptor stays its owner's.
///
/// Not `Sendable`: confined to the loop of its connection.
package final class TLSSession {
    /// The result of one step.
    package enum Outcome: Equatable {
        /// Done; for reads and writes the number of bytes.
        case done(Int)
        /// A record without data was read: more may follow and may have arrived already.
        case controlRecord
        /// The peer speaks HTTP without TLS.
        case plainHTTP
        /// Has to be called again when the socket is readable or writable.
        case wouldBlock
        /// The peer will send no more.
        case endOfFile
        /// The connection cannot be used any more.
        case failed(String)
    }

    private let ssl: OpaquePointer
    private var usable = true
    /// Handshake messages received so far; written by OpenSSL's callback.
    private let handshakeMessages = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    /// Consecutive records without data after the handshake.
    private var controlRecords = 0

    /// A peer updates its keys once in many gigabytes (RFC 8446 section 5.5), and renegotiation is disabled. Each such
    /// record costs a key derivation.
    private static let maximumControlRecords = 16

    /// - Throws: ``TLSError`` when OpenSSL has no memory for it.
    package init(_ context: TLSContext, descriptor: Int32) throws(TLSError) {
        guard let ssl = SSL_new(context.context) else { throw .openSSL("SSL_new") }
        self.ssl = ssl
        guard SSL_set_fd(ssl, descriptor) == 1 else {
            SSL_free(ssl)
            throw .openSSL("SSL_set_fd")
        }
        SSL_set_accept_state(ssl)
        handshakeMessages.initialize(to: 0)
        lux_ssl_set_message_callback_argument(ssl, handshakeMessages)
        SSL_set_msg_callback(ssl) { isWritten, _, contentType, _, _, _, argument in
            guard isWritten == 0, contentType == SSL3_RT_HANDSHAKE else { return }
            argument?.assumingMemoryBound(to: Int.self).pointee += 1
        }
    }

    deinit {
        handshakeMessages.deallocate()
        SSL_free(ssl)
    }

    /// Goes on with the handshake (SSL_do_handshake(3)).
    package func handshake() -> Outcome {
        ERR_clear_error()
        let before = handshakeMessages.pointee
        let code = SSL_do_handshake(ssl)
        if code == 1 { return .done(0) }
        let outcome = outcome(code)
        return outcome == .wouldBlock && handshakeMessages.pointee != before ? .controlRecord : outcome
    }

    /// Decrypts what has come. A short read does not mean that nothing is left: only ``Outcome/wouldBlock`` does.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        ERR_clear_error()
        var count = 0
        let before = handshakeMessages.pointee
        let code = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
        if code == 1 {
            controlRecords = 0
            return .done(count)
        }
        let outcome = outcome(code)
        guard outcome == .wouldBlock, handshakeMessages.pointee != before else { return outcome }
        controlRecords += 1
        guard controlRecords <= Self.maximumControlRecords else {
            usable = false
            return .failed("too many records without data")
        }
        return .controlRecord
    }

    /// Encrypts and sends. After ``Outcome/wouldBlock`` the same bytes must be passed again, from any address.
    package func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard !bytes.isEmpty else { return .done(0) }
        ERR_clear_error()
        var count = 0
        let code = SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
        return code == 1 ? .done(count) : outcome(code)
    }

    /// Signals that nothing more will be sent (close_notify, RFC 8446 section 6.1). Its own response is not waited
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
            if ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST {
                ERR_clear_error()
                return .plainHTTP
            }
            let reason = TLSError.takeReason()
            return .failed(reason.isEmpty ? "the connection was lost" : reason)
        }
    }
}
