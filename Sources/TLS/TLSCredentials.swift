import COpenSSL
import Foundation
import Glibc

/// A certificate chain and its private key as PEM texts, read once so that both stem from one moment.
package struct TLSCredentials: Sendable {
    let chain: [UInt8]
    let key: [UInt8]

    /// Reads both files.
    ///
    /// - Throws: ``TLSError`` when one cannot be read, or when others than its owner may read the key: it has to belong to
    ///   this process's user with no rights for anybody else, or to root with at most read rights for the group.
    package init(certificateFile: String, keyFile: String) throws(TLSError) {
        chain = try Self.contents(certificateFile)
        var status = stat()
        guard stat(keyFile, &status) == 0 else { throw TLSError("\(keyFile): \(String(cString: strerror(errno)))") }
        let rights = status.st_mode & 0o777
        let isOwn = status.st_uid == geteuid() && rights & 0o077 == 0
        let isRoots = status.st_uid == 0 && rights & 0o037 == 0
        guard isOwn || isRoots else {
            // A file of root is read by the server's group.
            let right = status.st_uid == 0 ? "640" : "600"
            throw TLSError("\(keyFile): others may read it (mode \(String(rights, radix: 8))); chmod \(right) it")
        }
        key = try Self.contents(keyFile)
    }

    /// From when until when the chain is valid.
    ///
    /// - Throws: ``TLSError`` when it holds no certificate.
    package func validity() throws(TLSError) -> CertificateValidity {
        try CertificateValidity(chain: chain, name: "the chain")
    }

    private static func contents(_ path: String) throws(TLSError) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw TLSError("\(path): cannot be read")
        }
    }
}
