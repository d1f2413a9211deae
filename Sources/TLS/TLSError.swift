import COpenSSL

/// Why a certificate, a key or a handshake is not taken.
package struct TLSError: Error, Equatable, CustomStringConvertible {
    /// For the operator; never holds key material.
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// What was tried, with the first entry of OpenSSL's error queue, which is emptied for the next caller on this thread.
    static func openSSL(_ what: String) -> TLSError {
        let reason = takeReason()
        return TLSError(reason.isEmpty ? what : "\(what): \(reason)")
    }

    /// The first entry of OpenSSL's error queue (ERR_reason_error_string(3)); empties the queue.
    static func takeReason() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? ""
    }
}
