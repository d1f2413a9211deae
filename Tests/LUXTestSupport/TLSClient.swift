import COpenSSL
import Glibc

/// The TLS side of a test's connection, blocking, straight over libssl.
package final class TLSClient {
    /// What the client offers.
    package struct Offer {
        package var versions = TLS1_2_VERSION...TLS1_3_VERSION
        package var protocols = ["http/1.1"]
        /// The certificate that the server has to show; nothing is checked without it.
        package var trusted: String?
        package var groups: String?
        /// TLS 1.2 ciphers.
        package var ciphers = "ALL:@SECLEVEL=0"
        package var session: TLSSessionTicket?

        package init() {}
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        init(_ what: String) {
            let code = ERR_get_error()
            ERR_clear_error()
            description = "\(what): \(ERR_reason_error_string(code).map { String(cString: $0) } ?? "")"
        }
    }

    private let context: OpaquePointer
    private let ssl: OpaquePointer

    /// Does the handshake on a connected socket.
    ///
    /// - Parameter whenHalfway: called once the server's first messages have arrived, before the client's last ones are sent.
    package init(descriptor: Int32, offer: Offer, whenHalfway: (() throws -> Void)? = nil) throws {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Failure("SSL_CTX_new") }
        guard lux_ctx_set_versions(context, offer.versions.lowerBound, offer.versions.upperBound) == 1,
            SSL_CTX_set_cipher_list(context, offer.ciphers) == 1,
            offer.trusted.map({ SSL_CTX_load_verify_file(context, $0) == 1 }) ?? true, let ssl = SSL_new(context)
        else {
            SSL_CTX_free(context)
            throw Failure("the client's TLS configuration")
        }
        self.context = context
        self.ssl = ssl
        if offer.trusted != nil { SSL_set_verify(ssl, SSL_VERIFY_PEER, nil) }
        if let groups = offer.groups { lux_ssl_set_groups(ssl, groups) }
        let list = offer.protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !list.isEmpty { SSL_set_alpn_protos(ssl, list, UInt32(list.count)) }
        if let session = offer.session { SSL_set_session(ssl, session.pointer) }
        SSL_set_fd(ssl, descriptor)
        if let whenHalfway { try Self.begin(ssl, descriptor, whenHalfway) }
        guard SSL_connect(ssl) == 1 else { throw Failure("handshake") }
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    /// Sends the first message and waits for the response.
    private static func begin(_ ssl: OpaquePointer, _ descriptor: Int32, _ whenHalfway: () throws -> Void) throws {
        // With nothing to read from, the handshake stops after the client's first message, however fast the server is.
        SSL_set0_rbio(ssl, BIO_new(BIO_s_mem()))
        ERR_clear_error()
        let error = SSL_get_error(ssl, SSL_connect(ssl))
        SSL_set0_rbio(ssl, BIO_new_socket(descriptor, BIO_NOCLOSE))
        guard error == SSL_ERROR_WANT_READ else { throw Failure("the first message: \(error)") }
        var readiness = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&readiness, 1, 15_000) == 1 else { throw Failure("no response to the first message") }
        try whenHalfway()
    }

    /// Like recv(2): a count, 0 at a close_notify, -1 for an error (with `errno`).
    func read(_ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        ERR_clear_error()
        errno = 0
        let result = SSL_read(ssl, buffer, Int32(clamping: count))
        if result > 0 { return Int(result) }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_ZERO_RETURN: return 0
        case SSL_ERROR_SYSCALL, SSL_ERROR_WANT_READ: break
        default: errno = ECONNRESET
        }
        if errno == 0 { errno = ECONNRESET }
        return -1
    }

    func write(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        ERR_clear_error()
        let result = SSL_write(ssl, bytes, Int32(clamping: count))
        if result <= 0, errno == 0 { errno = EPIPE }
        return result > 0 ? Int(result) : -1
    }

    /// Sends a close_notify.
    package func close() { SSL_shutdown(ssl) }

    /// Requests a renegotiation (TLS 1.2) and returns whether the server took part in it.
    package func renegotiates() -> Bool {
        SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1
    }

    /// Sends records that update the keys and contain no data (TLS 1.3, RFC 8446 section 4.6.3).
    ///
    /// - Returns: how many the server accepted before it closed the connection.
    package func updateKeys(_ count: Int) -> Int {
        // libssl writes without MSG_NOSIGNAL.
        signal(SIGPIPE, SIG_IGN)
        for sent in 0..<count {
            guard SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1, SSL_do_handshake(ssl) == 1 else {
                return sent
            }
        }
        return count
    }

    package var version: String { SSL_get_version(ssl).map { String(cString: $0) } ?? "" }
    package var cipher: String {
        SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? ""
    }
    package var isResumed: Bool { SSL_session_reused(ssl) == 1 }
    package var isCompressed: Bool { SSL_get_current_compression(ssl) != nil }

    /// The protocol that the server has chosen.
    package var selectedProtocol: String {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &bytes, &count)
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// What a later connection can be resumed with.
    package var ticket: TLSSessionTicket? { SSL_get1_session(ssl).map { TLSSessionTicket(pointer: $0) } }

    /// The serial number of the server's certificate, to distinguish two.
    package var certificateSerial: String {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return "" }
        defer { X509_free(certificate) }
        return ASN1_INTEGER_get(X509_get_serialNumber(certificate)).description
    }
}

/// A session of a past connection.
package final class TLSSessionTicket {
    fileprivate let pointer: OpaquePointer

    fileprivate init(pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit { SSL_SESSION_free(pointer) }
}
