import COpenSSL

/// The first error of OpenSSL's queue on the calling thread (ERR_get_error(3)).
package struct OpenSSLError: Error, Equatable, CustomStringConvertible {
    /// OpenSSL's own text. Holds no key material.
    package let description: String

    /// Creates an error of this program's own about its use of OpenSSL.
    package init(_ description: String) {
        self.description = description
    }

    /// Takes the first error of the queue and empties the queue for the next caller on this thread.
    package static func last() -> OpenSSLError {
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(ERR_get_error(), &text, text.count)
        ERR_clear_error()
        return OpenSSLError(
            String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
