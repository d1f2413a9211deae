import COpenSSL

/// The OpenSSL library that the process has loaded.
package enum OpenSSLVersion {
    /// Such as `3.0.17` (OpenSSL_version(3)).
    package static var current: String {
        OpenSSL_version(OPENSSL_VERSION_STRING).map { String(cString: $0) } ?? ""
    }
}
