/// The root certificates that a provider's own must come from: the system's, unless the operator names others as for every program
/// with OpenSSL (`SSL_CERT_FILE` and `SSL_CERT_DIR`, SSL_CTX_set_default_verify_paths(3)). libcurl does not read these two by itself.
package struct TrustedRoots: Sendable, Equatable {
    /// A file of certificates (PEM), instead of the system's.
    package var file: String?
    /// A folder of certificates under the names that openssl-rehash(1) gives them, instead of the system's.
    package var folder: String?

    /// `nil` for the system's.
    package init(file: String? = nil, folder: String? = nil) {
        self.file = file
        self.folder = folder
    }
}
