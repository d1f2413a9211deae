import COpenSSL
import FoundationEssentials
import Glibc

/// A certificate chain and its private key as PEM texts, read once so that both stem from one moment.
package struct TLSCredentials: Sendable {
    let chain: [UInt8]
    let key: [UInt8]
    /// The paths, for errors.
    let certificateFile: String
    let keyFile: String

    /// Reads both files.
    ///
    /// - Throws: ``TLSError`` when one cannot be read, or when others than its owner may read the key: it must belong to
    ///   this process's user with no rights for others, or to root with at most read rights for the group.
    package init(certificateFile: String, keyFile: String) throws(TLSError) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        chain = try Self.contents(certificateFile, .certificate)
        var status = stat()
        guard stat(keyFile, &status) == 0 else {
            throw TLSError("\(keyFile): \(String(cString: strerror(errno)))", file: .key)
        }
        let rights = status.st_mode & 0o777
        let isOwn = status.st_uid == geteuid() && rights & 0o077 == 0
        let isRoots = status.st_uid == 0 && rights & 0o037 == 0
        guard isOwn || isRoots else {
            // A file of root is read by the server's group.
            let right = status.st_uid == 0 ? "640" : "600"
            throw TLSError(
                "\(keyFile): others may read it (mode \(String(rights, radix: 8))); chmod \(right) it", file: .key)
        }
        key = try Self.contents(keyFile, .key)
    }

    /// Why nothing was found in a file: often it is DER, whose first byte is that of an ASN.1 sequence.
    static func noPEM(in bytes: [UInt8], _ path: String, what: String, converter: String, _ file: TLSError.File)
        -> TLSError
    {
        guard bytes.first == 0x30 else { return .openSSL("\(path): contains no \(what)", file: file) }
        _ = TLSError.takeReason()
        return TLSError(
            "\(path): is DER, not PEM; convert it with openssl \(converter) -inform DER -in \(path) -out FILE.pem",
            file: file)
    }

    /// From when until when the chain is valid.
    ///
    /// - Throws: ``TLSError`` when it contains no certificate.
    package func validity() throws(TLSError) -> CertificateValidity {
        try CertificateValidity(chain: chain, name: "the chain")
    }

    private static func contents(_ path: String, _ file: TLSError.File) throws(TLSError) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw TLSError("\(path): cannot be read", file: file)
        }
    }
}
