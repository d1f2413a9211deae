import COpenSSL

extension PublicKey {
    /// The SubjectPublicKeyInfo of a certificate. Its dates, names and signature are not checked: anybody who can change the
    /// set can change the keys themselves (RFC 7517 section 9.1).
    ///
    /// - Parameter certificate: X.509 in DER.
    /// - Throws: ``KeyError``.
    static func information(ofCertificate certificate: [UInt8]) throws(KeyError) -> [UInt8] {
        defer { ERR_clear_error() }
        let parsed = certificate.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var next = bytes.baseAddress
            return d2i_X509(nil, &next, bytes.count)
        }
        guard let parsed else { throw .unusable("x5c contains no certificate") }
        defer { X509_free(parsed) }
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = i2d_PUBKEY(X509_get0_pubkey(parsed), &encoded)
        guard length > 0, let encoded else { throw .invalid }
        defer { CRYPTO_free(encoded, nil, 0) }
        return Array(UnsafeBufferPointer(start: encoded, count: Int(length)))
    }
}
