import COpenSSL

/// HMAC-SHA256 with one key (EVP_MAC(3)): keyed once, copied for each computation.
///
/// `@unchecked Sendable`: the template is only ever read, by `EVP_MAC_CTX_dup`.
final class HMACSHA256: @unchecked Sendable {
    private let template: OpaquePointer

    init(key: [UInt8]) throws(JWTError) {
        guard !key.isEmpty else { throw .cryptography("the key is empty") }
        guard let mac = EVP_MAC_fetch(nil, "HMAC", nil) else { throw .openSSL() }
        defer { EVP_MAC_free(mac) }
        guard let context = EVP_MAC_CTX_new(mac) else { throw .openSSL() }
        // OSSL_PARAM keeps pointers to its key and its value: both strings have to live until the call is over.
        var digest = Array("SHA256".utf8CString)
        let started = OSSL_MAC_PARAM_DIGEST.withCString { parameter in
            digest.withUnsafeMutableBufferPointer { name in
                let parameters = [
                    OSSL_PARAM_construct_utf8_string(parameter, name.baseAddress, 0), OSSL_PARAM_construct_end(),
                ]
                return EVP_MAC_init(context, key, key.count, parameters)
            }
        }
        guard started == 1 else {
            EVP_MAC_CTX_free(context)
            throw .openSSL()
        }
        template = context
    }

    deinit {
        EVP_MAC_CTX_free(template)
    }

    func authenticationCode(_ bytes: [UInt8]) throws(JWTError) -> [UInt8] {
        guard let context = EVP_MAC_CTX_dup(template) else { throw .openSSL() }
        defer { EVP_MAC_CTX_free(context) }
        var code = [UInt8](repeating: 0, count: 32)
        var length = 0
        guard EVP_MAC_update(context, bytes, bytes.count) == 1,
            EVP_MAC_final(context, &code, &length, code.count) == 1, length == code.count
        else { throw .openSSL() }
        return code
    }

    /// Compares in a time that depends on the lengths only (CRYPTO_memcmp(3)).
    static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}

extension JWTError {
    /// What OpenSSL says, with its queue of errors emptied for the next caller on this thread.
    static func openSSL() -> JWTError {
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(ERR_get_error(), &text, text.count)
        ERR_clear_error()
        return .cryptography(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
