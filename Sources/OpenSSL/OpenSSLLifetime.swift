import COpenSSL

/// When OpenSSL frees its memory.
package enum OpenSSLLifetime {
    /// Leaves it to the end of the process. By default OpenSSL cleans up in a handler of atexit(3), while threads that nobody waits
    /// for may still be inside it. Works only before anything else uses OpenSSL (OPENSSL_init_crypto(3),
    /// `OPENSSL_INIT_NO_ATEXIT`).
    package static func untilProcessEnds() {
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
    }
}
