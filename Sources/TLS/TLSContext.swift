import COpenSSL

/// What all TLS connections share: versions, ciphers, certificate, key, and the keys of session tickets.
///
/// Mozilla's intermediate configuration without its finite-field ciphers, which no client needs that has TLS 1.2 with
/// elliptic curves. No session cache: tickets alone resume sessions, sealed with keys that OpenSSL creates for each context.
/// A new context is therefore a rotation of the ticket keys, too.
///
/// `@unchecked Sendable`: never changed after `init`; OpenSSL allows `SSL_new` from several threads (openssl-threads(7)).
package final class TLSContext: @unchecked Sendable {
    let context: OpaquePointer

    private static let ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")

    /// How long a ticket may resume a session, in seconds.
    private static let ticketLifetime = 7_200

    /// Creates a context for a server that speaks HTTP/1.1.
    ///
    /// - Throws: ``TLSError`` when the certificates or the key cannot be parsed or do not belong together.
    package init(_ credentials: TLSCredentials) throws(TLSError) {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw .openSSL("SSL_CTX_new") }
        self.context = context
        guard lux_ctx_set_versions(context, TLS1_2_VERSION, TLS1_3_VERSION) == 1,
            SSL_CTX_set_cipher_list(context, Self.ciphers) == 1, lux_ctx_set_groups(context, "X25519:P-256:P-384") == 1
        else { throw .openSSL("the TLS configuration") }
        lux_ctx_set_server_options(context)
        SSL_CTX_set_timeout(context, Self.ticketLifetime)
        SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
        try useChain(of: credentials)
        try useKey(of: credentials)
    }

    deinit {
        SSL_CTX_free(context)
    }

    private func useChain(of credentials: TLSCredentials) throws(TLSError) {
        let (chain, path) = (credentials.chain, credentials.certificateFile)
        let bio = try Self.memory(chain)
        defer { BIO_free(bio) }
        guard let leaf = PEM_read_bio_X509(bio, nil, noPassphrase, nil) else {
            throw TLSCredentials.noPEM(in: chain, path, what: "certificate", converter: "x509", .certificate)
        }
        defer { X509_free(leaf) }
        guard SSL_CTX_use_certificate(context, leaf) == 1 else { throw .openSSL(path, file: .certificate) }
        while let next = PEM_read_bio_X509(bio, nil, noPassphrase, nil) {
            guard lux_ctx_add_chain_certificate(context, next) == 1 else {
                X509_free(next)
                throw .openSSL(path, file: .certificate)
            }
        }
        // The end of the file is reported as an error as well.
        guard lux_is_no_more_pem(ERR_peek_last_error()) == 1 else { throw .openSSL(path, file: .certificate) }
        ERR_clear_error()
    }

    /// A BIO with a copy of these bytes (BIO_s_mem(3)).
    private static func memory(_ bytes: [UInt8]) throws(TLSError) -> OpaquePointer {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .openSSL("BIO_new") }
        guard BIO_write(bio, bytes, Int32(clamping: bytes.count)) == Int32(clamping: bytes.count) else {
            BIO_free(bio)
            throw .openSSL("BIO_write")
        }
        return bio
    }

    private func useKey(of credentials: TLSCredentials) throws(TLSError) {
        let (key, path) = (credentials.key, credentials.keyFile)
        let bio = try Self.memory(key)
        defer { BIO_free(bio) }
        guard let privateKey = PEM_read_bio_PrivateKey(bio, nil, noPassphrase, nil) else {
            throw TLSCredentials.noPEM(
                in: key, path, what: "private key without a passphrase", converter: "pkey", .key)
        }
        defer { EVP_PKEY_free(privateKey) }
        guard SSL_CTX_use_PrivateKey(context, privateKey) == 1, SSL_CTX_check_private_key(context) == 1 else {
            throw .openSSL("\(path): the key does not belong to the certificate", file: .key)
        }
    }
}

/// Never asks for a passphrase on a terminal (PEM_read_bio_PrivateKey(3)).
func noPassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32, _ userData: UnsafeMutableRawPointer?
) -> Int32 {
    -1
}

/// Chooses `http/1.1`, or `http/1.0` from a client that does not offer it (RFC 7301); a client that offers only other
/// protocols gets the alert `no_application_protocol`.
private func selectProtocol(
    _ ssl: OpaquePointer?, _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ selectedLength: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredLength: UInt32,
    _ userData: UnsafeMutableRawPointer?
) -> Int32 {
    let offers = UnsafeBufferPointer(start: offered, count: Int(offeredLength))
    for name in ["http/1.1".utf8, "http/1.0".utf8] {
        var index = 0
        while index < offers.count {
            let length = Int(offers[index])
            guard index + 1 + length <= offers.count else { break }
            if offers[(index + 1)..<(index + 1 + length)].elementsEqual(name) {
                selected?.pointee = offers.baseAddress.map { $0 + index + 1 }
                selectedLength?.pointee = offers[index]
                return SSL_TLSEXT_ERR_OK
            }
            index += 1 + length
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
