import COpenSSL

/// Certificate and key of a server of the tests.
package final class TLSServerContext {
    fileprivate let pointer: OpaquePointer

    package init(_ leaf: TestCA.Leaf) throws {
        guard let context = SSL_CTX_new(TLS_server_method()) else {
            throw TestServer.StartFailure(description: "SSL_CTX_new")
        }
        pointer = context
        guard SSL_CTX_use_certificate_chain_file(context, leaf.certificate) == 1,
            SSL_CTX_use_PrivateKey_file(context, leaf.key, SSL_FILETYPE_PEM) == 1
        else { throw TestServer.StartFailure(description: "cannot use \(leaf.certificate)") }
    }

    deinit { SSL_CTX_free(pointer) }
}

/// The server's side of a test's TLS connection, blocking.
package final class TLSServerSession {
    private let ssl: OpaquePointer

    /// Does the handshake on an accepted socket; nil when the client does not.
    package init?(_ context: TLSServerContext, descriptor: Int32) {
        guard let ssl = SSL_new(context.pointer) else { return nil }
        self.ssl = ssl
        SSL_set_fd(ssl, descriptor)
        guard SSL_accept(ssl) == 1 else { return nil }
    }

    deinit { SSL_free(ssl) }

    /// Like recv(2): a count, 0 or less at the end.
    func read(_ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        Int(SSL_read(ssl, buffer, Int32(clamping: count)))
    }

    func write(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        Int(SSL_write(ssl, bytes, Int32(clamping: count)))
    }
}
