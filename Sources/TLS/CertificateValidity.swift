import COpenSSL
import FoundationEssentials
import Glibc

/// From when until when all certificates of a PEM file are valid.
package struct CertificateValidity: Equatable, Sendable {
    /// The latest of their beginnings.
    package var notBefore: Date
    /// The earliest of their ends.
    package var notAfter: Date

    /// Reads a chain.
    ///
    /// - Throws: ``TLSError`` when the file cannot be read or contains no certificate.
    package init(certificateFile path: String) throws(TLSError) {
        guard let data = FileManager.default.contents(atPath: path) else { throw TLSError("\(path): cannot be read") }
        try self.init(chain: Array(data), name: path)
    }

    /// Reads a chain of PEM texts.
    ///
    /// - Parameter name: what errors call it.
    init(chain data: [UInt8], name path: String) throws(TLSError) {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .openSSL("BIO_new") }
        defer { BIO_free(bio) }
        let written = data.withUnsafeBytes { BIO_write(bio, $0.baseAddress, Int32(clamping: $0.count)) }
        guard written == Int32(clamping: data.count) else { throw .openSSL("BIO_write") }
        var spans: [(Date, Date)] = []
        while let certificate = PEM_read_bio_X509(bio, nil, noPassphrase, nil) {
            defer { X509_free(certificate) }
            guard let from = Self.date(X509_get0_notBefore(certificate)),
                let to = Self.date(X509_get0_notAfter(certificate))
            else { throw TLSError("\(path): a certificate without dates") }
            spans.append((from, to))
        }
        ERR_clear_error()
        guard let notBefore = spans.map(\.0).max(), let notAfter = spans.map(\.1).min() else {
            throw TLSError("\(path): contains no certificate")
        }
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    private static func date(_ time: UnsafePointer<ASN1_TIME>?) -> Date? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Date(timeIntervalSince1970: Double(timegm(&parts)))
    }
}
