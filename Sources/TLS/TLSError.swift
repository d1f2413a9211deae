import COpenSSL

/// Why a certificate, a key or a handshake is rejected.
package struct TLSError: Error, Equatable, CustomStringConvertible {
    /// The file that is wrong.
    package enum File: Sendable { case certificate, key }

    /// For the operator; never contains key material.
    package let description: String
    /// `nil` when it is neither of the two, or not known which.
    package let file: File?

    package init(_ description: String, file: File? = nil) {
        self.description = description
        self.file = file
    }

    /// What was tried, with the first entry of OpenSSL's error queue, which is emptied for the next caller on this thread.
    static func openSSL(_ what: String, file: File? = nil) -> TLSError {
        let reason = takeReason()
        return TLSError(reason.isEmpty ? what : "\(what): \(reason)", file: file)
    }

    /// The first entry of OpenSSL's error queue (ERR_reason_error_string(3)); empties the queue.
    static func takeReason() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? ""
    }
}
