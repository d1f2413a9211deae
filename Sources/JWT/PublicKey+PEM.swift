import COpenSSL

extension PublicKey {
    /// Reads a PEM text (RFC 7468 section 13) of exactly one public key; PKCS #1's own form of RSA keys is accepted as well.
    ///
    /// - Throws: ``KeyError``.
    convenience init(pem: [UInt8]) throws(KeyError) {
        let blocks = try Self.blocks(of: pem)
        // Reported first, wherever it is in the file.
        guard !blocks.contains(where: { $0.label.hasSuffix("PRIVATE KEY") }) else { throw .privateKey }
        guard let block = blocks.first else { throw .notAKey }
        guard blocks.count == 1 else { throw .severalPEM }
        switch block.label {
        case "PUBLIC KEY": try self.init(information: block.content)
        case "RSA PUBLIC KEY": try self.init(information: SubjectPublicKeyInfo.rsa(pkcs1: block.content))
        default: throw .otherPEM(label: block.label)
        }
    }

    private static func blocks(of pem: [UInt8]) throws(KeyError) -> [(label: String, content: [UInt8])] {
        defer { ERR_clear_error() }
        guard let bio = BIO_new(BIO_s_mem()) else { throw .notAKey }
        defer { BIO_free(bio) }
        guard BIO_write(bio, pem, Int32(clamping: pem.count)) == Int32(clamping: pem.count) else { throw .notAKey }
        var blocks: [(label: String, content: [UInt8])] = []
        while true {
            var label: UnsafeMutablePointer<CChar>?
            var header: UnsafeMutablePointer<CChar>?
            var content: UnsafeMutablePointer<UInt8>?
            var length = 0
            guard PEM_read_bio(bio, &label, &header, &content, &length) == 1 else { break }
            defer {
                CRYPTO_free(label, nil, 0)
                CRYPTO_free(header, nil, 0)
                // It may be a private key that somebody put here.
                CRYPTO_clear_free(content, length, nil, 0)
            }
            blocks.append(
                (label.map { String(cString: $0) } ?? "", Array(UnsafeBufferPointer(start: content, count: length))))
        }
        // The end of the text is reported as an error as well; any other one is a damaged block.
        guard lux_is_no_more_pem(ERR_peek_last_error()) == 1 else { throw .notAKey }
        return blocks
    }
}
